/** Cursor positions in real packages, with what was written there: `cursor-real/`, made by scripts/cursor. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Language } from "../../../shared/syntax/languages/languages.ts";

/** A file of a package; rows without a text describe the packages. */
interface Row {
  readonly language: Language;
  readonly text?: string;
  readonly positions: readonly { readonly start: number; readonly end: number; readonly resume: number }[];
}

export interface RealPosition {
  readonly language: Language;
  readonly prefix: string;
  readonly middle: string;
  readonly suffix: string;
}

const CORPUS = join(import.meta.dirname, "../../fixtures/syntax/cursor-real/corpus.jsonl.gz");

export function realPositions(): RealPosition[] {
  const lines = gunzipSync(readFileSync(CORPUS)).toString("utf8").trimEnd().split("\n");
  return lines.flatMap((line) => {
    const { language, text, positions }: Row = JSON.parse(line);
    if (text === undefined) return [];
    return positions.map(({ start, end, resume }) => ({
      language,
      prefix: text.slice(0, start),
      middle: text.slice(start, end),
      suffix: text.slice(resume),
    }));
  });
}
