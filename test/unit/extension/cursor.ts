/** Places of tests: a text with the cursor shown as █. */
import type { CursorContext } from "../../../src/editor/cursor-context.ts";

export function cursorIn(text: string, uri = "file:///a.py"): CursorContext {
  const [prefix = "", suffix = ""] = text.split("█");
  return { uri, version: 1, language: "python", path: "a.py", offset: prefix.length, prefix, suffix };
}
