/** A byte-level BPE tokenizer from a tokenizer.json, so that rendering can be tested without the native engine. */
import type { Tokenizer } from "../../server/engine/engine.ts";

interface TokenizerFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly normalizer: { readonly type: string } | null;
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
    readonly ignore_merges?: boolean;
  };
}

// Rust's \s, which is White_Space; JavaScript's differs in U+0085 and U+FEFF.
const S = "\\t-\\r\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const pattern = (digits: string): RegExp =>
  new RegExp(
    `'(?:[sStTmMdD\\u017f]|[rR][eE]|[vV][eE]|[lL][lL])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}|` +
      ` ?[^${S}\\p{L}\\p{N}]+[\\r\\n]*|[${S}]*[\\r\\n]+|[${S}]+(?![^${S}])|[${S}]+`,
    "gu",
  );

/** @param source text of a tokenizer.json with Qwen2's or Llama 3's pre-tokenizer */
export function bpeTokenizer(source: string): Tokenizer {
  const file = JSON.parse(source) as TokenizerFile;
  const { vocab, merges, ignore_merges: wholeWords = false } = file.model;
  const rank = new Map(
    merges.map((merge, index) => [typeof merge === "string" ? merge : merge.join(" "), index]),
  );
  const words = pattern(source.includes("{1,3}") ? "\\p{N}{1,3}" : "\\p{N}");
  const encode = (text: string): Int32Array => {
    const ids: number[] = [];
    for (const [word] of text.matchAll(words)) {
      const letters = Array.from(new TextEncoder().encode(word), (byte) => BYTE_LETTERS[byte] ?? "");
      const whole = vocab[letters.join("")];
      const pieces = wholeWords && whole !== undefined ? [letters.join("")] : merge(letters, rank);
      for (const piece of pieces) ids.push(vocab[piece] ?? -1);
    }
    return Int32Array.from(ids);
  };
  return {
    encode,
    encodeRendered: encode,
    added: new Map(file.added_tokens.map(({ content, id }) => [content, id])),
  };
}

function merge(letters: readonly string[], rank: ReadonlyMap<string, number>): string[] {
  const pieces = [...letters];
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    let at = -1;
    for (let index = 0; index + 1 < pieces.length; index++) {
      const found = rank.get(`${pieces[index]} ${pieces[index + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (found < best) [best, at] = [found, index];
    }
    if (at === -1) return pieces;
    pieces.splice(at, 2, `${pieces[at]}${pieces[at + 1]}`);
  }
}

/** GPT-2's letters for bytes: printable Latin-1 stands for itself, the rest for U+0100 and on, in order. */
const BYTE_LETTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
})();
