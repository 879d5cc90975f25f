/** Names under which models are installed. */
import { ServiceError } from "../errors.ts";

/** A plain file name that can be typed: what the store lists. */
const NAME = /^[a-z0-9_][a-z0-9._-]{0,127}$/;
/** Names of models that come with the package and cannot be replaced. */
const RESERVED: ReadonlySet<string> = new Set(["nano"]);

/**
 * The name as it is used for a file.
 * @throws ServiceError invalid_request
 */
export function installName(wanted: string): string {
  if (RESERVED.has(wanted)) {
    throw new ServiceError(
      "invalid_request",
      `"${wanted}" is the embedded model, which cannot be replaced. Choose another --name.`,
    );
  }
  if (NAME.test(wanted)) return wanted;
  throw new ServiceError(
    "invalid_request",
    `"${wanted}" cannot be a model's name. Use lower-case letters, digits, ".", "_" and "-".`,
  );
}

/** A name made of a repository's, folder's or file's. */
export function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 128);
}
