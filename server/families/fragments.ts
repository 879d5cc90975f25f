/** Rendered text ↔ token ids: cut at added tokens, what stands between is ordinary text. */
import type { Tokenizer, Tokens } from "../engine/engine.ts";
import type { Normalizer } from "../models/gguf-keys.ts";

/** Texts and, between each two of them, an added token: one text more than tokens; texts may be empty. */
export interface Cut {
  readonly texts: readonly string[];
  readonly added: readonly { readonly spelling: string; readonly id: number }[];
}

/** Cuts a text at the spellings of added tokens, leftmost first, the longest where several begin. */
export function createCutter(added: ReadonlyMap<string, number>): (text: string) => Cut {
  const spellings = [...added.keys()]
    .filter((spelling) => spelling !== "")
    .sort((a, b) => b.length - a.length);
  if (spellings.length === 0) return (text) => ({ texts: [text], added: [] });
  const pattern = new RegExp(spellings.map((spelling) => escapeRegExp(spelling)).join("|"), "g");
  return (text) => {
    const texts: string[] = [];
    const found: { spelling: string; id: number }[] = [];
    let position = 0;
    for (const match of text.matchAll(pattern)) {
      const [spelling] = match;
      texts.push(text.slice(position, match.index));
      found.push({ spelling, id: added.get(spelling) ?? 0 });
      position = match.index + spelling.length;
    }
    texts.push(text.slice(position));
    return { texts, added: found };
  };
}

/**
 * Characters of remembered fragments: about 10 MB of texts and ids. All candidates of a request share the problem, and
 * a request with one more candidate shares all others.
 */
const REMEMBERED_UNITS = 2_000_000;

/** Encodes ordinary text; what was encoded lately is remembered. */
export function createEncoder(tokenizer: Tokenizer, normalizer: Normalizer): (text: string) => Tokens {
  const remembered = new Map<string, Tokens>();
  let units = 0;
  return (text) => {
    if (text === "") return EMPTY;
    const known = remembered.get(text);
    if (known) {
      // Last used, last forgotten.
      remembered.delete(text);
      remembered.set(text, known);
      return known;
    }
    const tokens = tokenizer.encode(normalizer === "NFC" ? text.normalize("NFC") : text);
    if (text.length > REMEMBERED_UNITS / 2) return tokens;
    remembered.set(text, tokens);
    units += text.length;
    for (const oldest of remembered.keys()) {
      if (units <= REMEMBERED_UNITS) break;
      remembered.delete(oldest);
      units -= oldest.length;
    }
    return tokens;
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

const EMPTY: Tokens = new Int32Array(0);
