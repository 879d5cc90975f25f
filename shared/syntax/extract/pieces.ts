/** The pieces of a reply that may be code: its fenced blocks, or what its tags or its looks show. */
import type { Language } from "../languages/languages.ts";
import { type Tag, tagOf } from "../replies/fence-tags.ts";
import { type Fence, type Read, readOne } from "../replies/fences.ts";
import { cutFront, type Line, textOf, withText } from "../replies/lines.ts";
import { SURE, weigh } from "../replies/prose.ts";
import { patchIn, sessionIn } from "../replies/transcripts.ts";
import { answerIn, codeTagsIn, inlineTagIn } from "../replies/wrappers.ts";
import type { Piece } from "./candidate.ts";
import { evidenceIn } from "./evidence.ts";
import { endsInside, OpenLines } from "./open-lines.ts";
import { codeRegions } from "./regions.ts";

const NO_TAG = tagOf("");

/** Blocks in blocks that are read: Markdown about Markdown goes no deeper. */
const MAX_DEPTH = 3;

/** Lines of a block that is read as Markdown: a reply in a block is a page or two. */
const MAX_NESTED_LINES = 2000;

/** Pieces that are read: an answer has a dozen, and each may be parsed several times. */
const MAX_PIECES = 64;

/** The pieces in order. */
export function piecesIn(lines: readonly Line[], language: Language | undefined): Piece[] {
  const answer = answerIn(lines);
  const inside = fenced(answer, language, 0);
  if (inside.length > 0) return inside;
  const anywhere = answer === lines ? [] : fenced(lines, language, 0);
  if (anywhere.length > 0) return anywhere;
  const session = sessionIn(answer) ?? patchIn(answer);
  const likely = language ?? evidenceIn(textOf(answer))[0]?.language;
  const regions = codeRegions(answer, likely);
  // A tag inside of code is JSX.
  const within = (line: Line): boolean => regions.some((region) => region.lines.indexOf(line) > 0);
  const tagged = codeTagsIn(answer).filter(({ opening }) => !within(opening));
  if (tagged.length > 0) {
    return tagged.slice(0, MAX_PIECES).map(({ tag, lines: inner }) => unfenced(inner, tagOf(tag), [], true));
  }
  // Documentation may show a session inside of the code.
  const outside = (line: Line): boolean =>
    /^[^\s=]/.test(line.text) && !/^Out ?\[/.test(line.text) && !session?.includes(line);
  if (session !== undefined && !regions.some((region) => region.lines.some(outside))) {
    return [unfenced(session, NO_TAG, [], false)];
  }
  if (regions.length > 0)
    return regions.map((region) => unfenced(region.lines, NO_TAG, region.before, false));
  const inline = inlineTagIn(answer);
  return inline === undefined ? [] : [unfenced(inline, NO_TAG, [], true)];
}

function unfenced(lines: readonly Line[], tag: Tag, before: readonly Line[], encoded: boolean): Piece {
  return { lines, tag, before, closed: true, origin: "text", encoded };
}

/** The fenced blocks, as the model meant them where Markdown reads them otherwise. */
function fenced(lines: readonly Line[], language: Language | undefined, depth: number): Piece[] {
  const pieces: Piece[] = [];
  let rest = lines;
  for (let from = 0; from < rest.length && pieces.length < MAX_PIECES; ) {
    const read = meant(readOne(rest, from, true), language);
    if (read.fence === undefined) break;
    // What looks like a block in a comment or string of code that no fence marks.
    if (pieces.length === 0 && opensInside(read.prose, language)) return [];
    const { fence, after } = cutOff(read.fence, language);
    const piece = pieceOf(fence, read.prose);
    const nested =
      depth < MAX_DEPTH && mayNest(fence, piece.tag) ? fenced(fence.lines, language, depth + 1) : [];
    if (nested.length > 0) pieces.push(...nested);
    else pieces.push(piece);
    if (after.length === 0) from = read.next;
    else {
      rest = after.concat(rest.slice(read.next));
      from = 0;
    }
  }
  return pieces;
}

/** The text ends within a string or comment of code. */
export function opensInside(prose: readonly Line[], language: Language | undefined): boolean {
  const start = prose.findIndex(
    (line) => weigh(line.text, language) >= SURE || /^(?:\/\*|"""|''')/.test(line.text),
  );
  return start >= 0 && endsInside(prose.slice(start), language);
}

/** A fence inside a string or comment of the code does not end the block, though Markdown says so. */
function meant(read: Read, asked: Language | undefined): Read {
  if (read.fence?.closed !== true) return read;
  const language = tagOf(read.fence.info).language ?? asked;
  if (!endsInside(read.fence.lines, language)) return read;
  for (let longer = read.longer?.(); longer !== undefined; longer = longer.longer?.()) {
    if (longer.fence?.closed === true && !endsInside(longer.fence.lines, language)) return longer;
  }
  return read;
}

/** A block whose content is Markdown again. */
function mayNest(fence: Fence, tag: Tag): boolean {
  if (fence.lines.length > MAX_NESTED_LINES) return false;
  if (!fence.lines.some((line) => /^\s*(?:`{3,}|~{3,})/.test(line.text))) return false;
  return tag.language === undefined && !endsInside(fence.lines, undefined);
}

/**
 * Ends a block where the model closed it in a way that is none in Markdown: with text behind the closing fence,
 * at the end of a line of code, or by opening the next block.
 */
function cutOff(fence: Fence, asked: Language | undefined): { fence: Fence; after: readonly Line[] } {
  const marks = fence.mark.repeat(fence.size);
  const above = new OpenLines(tagOf(fence.info).language ?? asked);
  let readTo = 0;
  for (const [index, line] of fence.lines.entries()) {
    const at = line.text.indexOf(marks);
    if (at < 0) continue;
    const before = line.text.slice(0, at);
    const behind = line.text.slice(at + marks.length);
    const starts = before.trim() === "";
    if (starts ? behind.trim() === "" : behind.trim() !== "") continue;
    if (!starts && fence.closed) continue;
    for (; readTo < index; readTo++) above.read(fence.lines[readTo]?.text ?? "");
    if (starts ? above.isInside : above.isInsideAfter(before.trimEnd())) continue;
    const content = fence.lines.slice(0, index);
    if (!starts) content.push(withText(line, before.trimEnd()));
    const opens = starts && tagOf(behind.trim()).language !== undefined && !/\s\S/.test(behind.trim());
    const next = starts ? [opens ? line : cutFront(line, at + marks.length)] : [];
    const after = [...next, ...fence.lines.slice(index + 1)];
    // The fence that closed this block closes the one that was opened in it.
    if (opens && fence.closed) after.push({ text: marks, number: line.number, column: 0 });
    return { fence: { ...fence, lines: content, closed: true }, after };
  }
  return { fence, after: [] };
}

/** A fenced block as a piece. */
export function pieceOf(fence: Fence, before: readonly Line[]): Piece {
  return {
    lines: fence.lines,
    tag: tagOf(fence.info),
    before,
    closed: fence.closed,
    origin: "fence",
    encoded: false,
  };
}
