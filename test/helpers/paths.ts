/** Where the project's files are, for tests in any folder. */
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const FIXTURES = join(ROOT, "test/fixtures");
