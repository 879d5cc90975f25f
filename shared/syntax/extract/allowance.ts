/**
 * What reading one reply may cost. Text that does not parse takes many times as long as code that does, and a reply may
 * have much of it, each piece tried in several languages.
 */
import type { SyntaxRuntime } from "../parsing/parser.ts";

/**
 * UTF-16 units that may fail to parse in one reply, counted at each try; one text may be as long by itself. Grammars
 * take up to half a second for them. Replies of models stay below a tenth of it.
 */
const MAX_FAILED = 64 * 1024;

/** The runtime for one reply: a text counts as too large where too much has failed before it. */
export function withAllowance(runtime: SyntaxRuntime): SyntaxRuntime {
  let failed = 0;
  return {
    ...runtime,
    parse(language, text) {
      if (failed > 0 && failed + text.length > MAX_FAILED) return null;
      const tree = runtime.parse(language, text);
      if (tree === null || tree.rootNode.hasError) failed += text.length;
      return tree;
    },
  };
}
