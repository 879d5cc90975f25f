/** Cursor positions in real packages, with what was written there: `cursor-real/`, made by scripts/cursor. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Language } from "../../../shared/syntax/languages/languages.ts";

/** A file of a package; rows without a text describe the packages. */
interface Row {
  readonly file: string;
  /** Name of the package. */
  readonly of: string;
  readonly language: Language;
  readonly text?: string;
  readonly positions: readonly {
    readonly kind: string;
    readonly start: number;
    readonly end: number;
    readonly resume: number;
  }[];
}

export interface RealPosition {
  /** As the samples name it. */
  readonly id: string;
  readonly kind: string;
  readonly language: Language;
  readonly prefix: string;
  readonly middle: string;
  readonly suffix: string;
}

/** What a model wrote at a position. */
export interface RealSample {
  /** Of the position. */
  readonly id: string;
  readonly text: string;
}

const FIXTURES = join(import.meta.dirname, "../../fixtures/syntax/cursor-real");

function linesOf(name: string): string[] {
  return gunzipSync(readFileSync(join(FIXTURES, name)))
    .toString("utf8")
    .trimEnd()
    .split("\n");
}

/** @param model as in the name of its file: "0.5b" */
export function realSamples(model: string): RealSample[] {
  return linesOf(`samples-${model}.jsonl.gz`).map((line): RealSample => JSON.parse(line));
}

export function realPositions(): RealPosition[] {
  return linesOf("corpus.jsonl.gz").flatMap((line) => {
    const { language, text, of, file, positions }: Row = JSON.parse(line);
    if (text === undefined) return [];
    return positions.map(({ kind, start, end, resume }) => ({
      id: `${of}/${file}:${start}-${end}`,
      kind,
      language,
      prefix: text.slice(0, start),
      middle: text.slice(start, end),
      suffix: text.slice(resume),
    }));
  });
}
