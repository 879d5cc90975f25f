/**
 * Generated replies in which Markdown nests: fences in lists in quotes in fences, in tags, in reasoning, with code of all
 * languages, cut off and run together as models do, and as only an attacker would.
 */
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";
import type { FuzzInput } from "./fuzzing.ts";
import { randomFrom } from "./random.ts";
import { replyCases } from "./reply-corpus.ts";

/** Blocks in blocks; deeper ones repeat what these do. */
const DEPTH = 6;

/** Longest run of one mark, and of one line: most replies have short ones. */
const RUNS = [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 6, 12, 40, 200];

/** Longest reply, in UTF-16 units: what is longer is refused unread, which would be no test. */
const MAX_LENGTH = 120_000;

const PROSE = [
  "Here is the code:",
  "The function `f(x)` returns `x + 1` for every `x`, and ``a ` b`` too.",
  "1. First, we read the input; then (see below) we sort it.",
  "Note: if x > 0 then y = f(x) else z.",
  "> quoted, not code",
  "| a | b |\n|---|---|\n| 1 | 2 |",
  "**Explanation**\n\nThis works because 2 * 2 = 4.",
  ">>> f(1)\n2\n>>> f(2)",
  "$ python main.py\n3",
  "@@ -1,2 +1,2 @@\n-old\n+new",
];
const TAGS = ["think", "answer", "code", "pre", "solution", "output", "python", "reasoning"];
const INFO = [
  "",
  "python",
  "js",
  "c++",
  "text",
  "diff",
  "markdown",
  "{.java .numberLines}",
  "rust,ignore",
  "go:main.go",
];
const MARKS = [
  "```",
  "~~~",
  "````",
  "`````",
  "`",
  "``` ",
  "``",
  '"""',
  "'''",
  "/*",
  "<!--",
  "<<EOF",
  "> ",
  "- ",
  "* ",
  "1) ",
  "\t",
  "    ",
]; // prettier-ignore

/** `count` nested replies; the same for the same seed. */
export function* nestedReplies(seed: number, count: number): Generator<FuzzInput> {
  const { below, pick, chance } = randomFrom(seed);
  const programs = codeByLanguage();

  const prefixed = (text: string, first: string, rest: string): string =>
    text
      .split("\n")
      // Models forget the mark of a line now and then.
      .map((line, index) => (index === 0 ? first : chance(0.03) ? "" : rest) + line)
      .join("\n");

  const code = (language: Language): string => {
    const text = pick(programs.get(language) ?? [""]);
    if (chance(0.8)) return text;
    if (chance(0.5)) return text.slice(0, below(text.length + 1));
    const at = below(text.length + 1);
    return `${text.slice(0, at)}${pick(MARKS).repeat(pick(RUNS))}${text.slice(at)}`;
  };

  const fence = (content: string, language: Language): string => {
    const mark = (chance(0.8) ? "`" : "~").repeat(3 + below(3));
    const info = chance(0.7) ? language : pick(INFO);
    const close = chance(0.85) ? `\n${mark}${chance(0.1) ? " and then" : ""}` : "";
    return `${chance(0.1) ? "The code: " : ""}${mark}${info}\n${content}${close}`;
  };

  const block = (language: Language, depth: number): string => {
    const inner = (): string => blocks(language, depth - 1);
    switch (depth === 0 ? 7 + below(3) : below(10)) {
      case 0:
        return prefixed(inner(), "> ".repeat(pick(RUNS)), chance(0.9) ? "> " : ">");
      case 1:
        return prefixed(inner(), pick(["- ", "* ", "1. ", "10) ", "+ "]), pick(["  ", "    ", "\t", ""]));
      case 2:
        return fence(inner(), language);
      case 3: {
        const tag = pick(TAGS);
        return `<${tag}>${pick(["", "\n"])}${inner()}${chance(0.8) ? `\n</${tag}>` : ""}`;
      }
      case 4:
        return `${pick(MARKS).repeat(pick(RUNS))}${inner()}`;
      case 5:
        return prefixed(inner(), pick(["+", "-", " ", "    ", "\t"]), pick(["+", " ", "    ", "\t"]));
      case 6:
        return `${inner()}${pick(MARKS).repeat(pick(RUNS))}`;
      case 7:
        return `${pick(PROSE)}\n`.repeat(pick(RUNS)).slice(0, 4000);
      case 8:
        return code(chance(0.8) ? language : pick(LANGUAGES));
      default:
        return fence(code(language), language);
    }
  };

  const blocks = (language: Language, depth: number): string => {
    const parts = Array.from({ length: 1 + below(depth === DEPTH ? 4 : 2) }, () => block(language, depth));
    return parts.join(pick(["\n\n", "\n\n", "\n", "\r\n", ""]));
  };

  for (let index = 0; index < count; index++) {
    const language = LANGUAGES[index % LANGUAGES.length] ?? "python";
    const whole = blocks(language, 1 + below(DEPTH));
    const reply = (chance(0.02) ? whole.repeat(pick(RUNS)) : whole).slice(0, MAX_LENGTH);
    const asked = chance(0.7) ? language : undefined;
    const mode = chance(0.1) ? "strict" : "lenient";
    yield { title: `seed ${seed}, nested reply ${index} (${language})`, reply, language: asked, mode };
  }
}

function codeByLanguage(): ReadonlyMap<Language, readonly string[]> {
  const found = new Map<Language, string[]>();
  for (const { reported, code } of replyCases()) {
    if (code === undefined || code === "") continue;
    const own = found.get(reported) ?? [];
    own.push(code);
    found.set(reported, own);
  }
  return found;
}
