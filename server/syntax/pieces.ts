// The pieces of a reply that may be code: its fenced blocks, or what its tags or its looks show.
import type { Piece } from "./candidate.ts";
import { type Fence, readFences, type Segment } from "./fences.ts";
import { tagOf } from "./info.ts";
import type { Language } from "./languages.ts";
import type { Line } from "./lines.ts";
import type { SyntaxRuntime } from "./parser.ts";
import { codeRegions } from "./regions.ts";
import { answerIn, codeTagsIn } from "./wrappers.ts";

const NO_TAG = tagOf("");

/** The pieces in order. */
export async function piecesIn(
  lines: readonly Line[],
  language: Language | undefined,
  _runtime: SyntaxRuntime,
): Promise<Piece[]> {
  const answer = answerIn(lines);
  const inside = fenced(readFences(answer));
  if (inside.length > 0) return inside;
  const anywhere = answer === lines ? [] : fenced(readFences(lines));
  if (anywhere.length > 0) return anywhere;
  const tagged = codeTagsIn(answer).map(
    ({ tag, lines: inner }) =>
      ({ lines: inner, tag: tagOf(tag), before: [], closed: true, origin: "text" }) as const,
  );
  if (tagged.length > 0) return tagged;
  return codeRegions(answer).map((region) => ({
    ...region,
    tag: language === undefined ? NO_TAG : tagOf(language),
    closed: true,
    origin: "text",
  }));
}

function fenced(segments: readonly Segment[]): Piece[] {
  const pieces: Piece[] = [];
  let before: readonly Line[] = [];
  for (const segment of segments) {
    if (segment.kind === "prose") {
      before = segment.lines;
      continue;
    }
    pieces.push(pieceOf(segment, before));
    before = [];
  }
  return pieces;
}

function pieceOf(fence: Fence, before: readonly Line[]): Piece {
  return { lines: fence.lines, tag: tagOf(fence.info), before, closed: fence.closed, origin: "fence" };
}
