/** What speaks for a language in a piece of code, before any parser has seen it. */
import type { Sign } from "../languages/language.ts";
import { LANGUAGES, type Language, SYNTAX } from "../languages/languages.ts";

/** JSX in code of TypeScript or JavaScript. */
const JSX = /(?:return|=>|[=(?:&]|^)\s*(?:\(\s*)?<(?:[A-Za-z][\w.]*[\s/>]|>)[\s\S]*?(?:<\/|\/>)/m;

/** Longest piece that is looked at: a program shows its language early. */
const LOOK = 4_000;

/** How much speaks for a language. */
export interface Evidence {
  readonly language: Language;
  readonly weight: number;
}

/** The languages that something speaks for, the most likely one first. */
export function evidenceIn(code: string): Evidence[] {
  // What comments say about types is no code.
  const text = code.slice(0, LOOK).replace(/(?<=^|\s)\/\*[\s\S]*?\*\//g, "");
  const found = new Map<Language, number>();
  for (const language of LANGUAGES) {
    const { signs, shared = [], against, contains } = SYNTAX[language].guess;
    const own = weightIn(text, signs);
    // What contains another language, or has signs in common with one, needs a sign of its own.
    if ((own === 0 && contains !== undefined) || against?.test(text)) continue;
    const weight = own + weightIn(text, shared) + (contains === undefined ? 0 : (found.get(contains) ?? 0));
    if (weight > 0) found.set(language, weight);
  }
  const script = found.get("javascript") ?? 0;
  const typed = found.get("typescript");
  if ((typed !== undefined || script > 0) && /<\w/.test(text) && JSX.test(text)) {
    found.set(typed === undefined ? "javascript" : "tsx", (typed ?? script) + 2);
  }
  return [...found].map(([language, weight]) => ({ language, weight })).sort((a, b) => b.weight - a.weight);
}

function weightIn(text: string, signs: readonly Sign[]): number {
  let sum = 0;
  for (const [pattern, weight] of signs) if (pattern.test(text)) sum += weight;
  return sum;
}
