/** Chat models answer with a reply where a continuation was asked for: reasoning, prose, the code in a fence. */
import type { Language } from "../../languages/languages.ts";
import { tagOf } from "../../replies/fence-tags.ts";
import { fencesIn, readFences } from "../../replies/fences.ts";
import { linesOf, textOf } from "../../replies/lines.ts";
import { withoutReasoning } from "../../replies/reasoning.ts";
import { scanBrackets } from "../scan-brackets.ts";

/** A first line in words: code may follow on it without a fence. */
export const PROSE = /^\s*\p{Lu}[\p{L}']*(?:,? [\p{L}'`()-]+){2,}[.:!,]?[^\S\n]*\n/u;

/** Blocks of one reply that are tried; the first is nearly always the one. */
const MAX_BLOCKS = 3;

/**
 * The texts that a completion may mean, most likely first: the content of its fenced blocks where it has any,
 * else itself. A fence that only closes ends the code before it.
 */
export function codeIn(text: string, language: Language): string[] {
  const answer = withoutReasoning(linesOf(text));
  const plain = answer.reasoned ? textOf(answer.lines) : text;
  const fence = /```|~~~/.exec(plain);
  if (fence === null) return answer.endless && plain.trim() === "" ? [] : [plain];
  // In a documentation comment or string of the code itself.
  const { inside } = scanBrackets(plain.slice(0, fence.index), language);
  if (inside === "*/" || inside === '"""' || inside === "'''") return [plain];
  const segments = readFences(answer.lines);
  const [first] = segments;
  const fences = fencesIn(segments);
  if (fences.length === 0) return [plain];
  const before = first?.kind === "prose" && fences[0]?.info === "" ? textOf(first.lines) : undefined;
  // A fence alone closes what a model took for a block; only prose says that it opens one.
  if (fences.length === 1 && before !== undefined && !PROSE.test(before)) return [before];
  const blocks = fences.map((fence) => ({ tag: tagOf(fence.info), code: textOf(fence.lines) }));
  const filled = blocks.filter((block) => block.code.trim() !== "" && !block.tag.notCode);
  const own = filled.filter((block) => block.tag.language === language);
  const codes = [...own, ...filled.filter((block) => !own.includes(block))].map((block) => block.code);
  return [...codes.slice(0, MAX_BLOCKS), ...(before === undefined ? [] : [before])];
}
