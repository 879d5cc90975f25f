/** Rendered text ↔ token ids: cut at added tokens; what is between them is ordinary text. */
import type { Tokenizer, Tokens } from "../engine/engine.ts";
import type { Normalizer } from "../models/gguf/keys.ts";

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

/** Encodes ordinary text; at least the first `enough` tokens, all of them where there are fewer or as many. */
export type Encode = (text: string, enough: number) => Tokens;

/**
 * Characters of remembered fragments: about 10 MB of texts and ids. All candidates of a request share the problem, and
 * a request with one more candidate shares all others.
 */
const REMEMBERED_UNITS = 2_000_000;
/** Longer fragments would push all others out. */
const REMEMBERED_LONGEST = REMEMBERED_UNITS / 16;
/** A piece of a long text is at least this long: some thousand tokens, a few milliseconds. */
const PIECE_UNITS = 16_384;
/**
 * And at most this long: no program and no prose goes on so far without a seam, and a word of a megabyte would hold
 * up the process for a second. At such a cut tokens may differ from those of the whole.
 */
const PIECE_LIMIT = 2 * PIECE_UNITS;
/**
 * Where a long text may be parted without changing a token: both pre-tokenizers end a word there whatever follows, and
 * no normal form joins the two sides. After a letter before a blank, or after a newline before visible ASCII.
 */
const SEAM = /\p{L}(?=[ \n])|\n(?=[!-~])/gu;

/** An encoder for the fragments of one model; what was encoded lately is remembered. */
export function createEncoder(tokenizer: Tokenizer, normalizer: Normalizer): Encode {
  const remembered = new Map<string, Tokens>();
  let units = 0;
  const encodePiece = (text: string): Tokens =>
    tokenizer.encode(normalizer === "NFC" ? text.normalize("NFC") : text);
  return (text, enough) => {
    if (text === "") return EMPTY;
    if (text.length > REMEMBERED_LONGEST) return encodePieces(text, enough, encodePiece);
    const known = remembered.get(text);
    if (known) {
      // Last used, last forgotten.
      remembered.delete(text);
      remembered.set(text, known);
      return known;
    }
    const tokens = encodePiece(text);
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

/** Encodes piece by piece until there is enough: an absurdly long text costs no more than a long one. */
function encodePieces(text: string, enough: number, encodePiece: (text: string) => Tokens): Tokens {
  const pieces: Tokens[] = [];
  let count = 0;
  for (let start = 0; start < text.length && count < enough; ) {
    const rest = text.slice(start, start + PIECE_LIMIT);
    const end = pieceEnd(rest);
    const piece = encodePiece(rest.slice(0, end));
    pieces.push(piece);
    count += piece.length;
    start += end;
  }
  return concatenate(pieces);
}

function pieceEnd(text: string): number {
  SEAM.lastIndex = PIECE_UNITS;
  const seam = SEAM.exec(text);
  if (seam) return seam.index + seam[0].length;
  // Not between the two halves of a character.
  const last = text.charCodeAt(text.length - 1);
  return text.length === PIECE_LIMIT && last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length;
}

export function concatenate(parts: readonly Tokens[]): Tokens {
  const tokens = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    tokens.set(part, position);
    position += part.length;
  }
  return tokens;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

const EMPTY: Tokens = new Int32Array(0);
