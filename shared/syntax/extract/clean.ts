/** Marks that stand around or in front of code and are none of it: prompts, diff marks, line numbers, entities. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import { cutFront, isBlank, type Line, withText } from "../replies/lines.ts";

/** Another reading of a piece of code. */
export interface Reading {
  readonly lines: readonly Line[];
  /** The marks are beyond doubt: this reading comes before the piece as it is. */
  readonly sure: boolean;
}

const ENTITY = /&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,6}|#x[0-9a-f]{1,5});/i;

/** The readings of a piece that its marks suggest, the likeliest first; the piece as it is, is not among them. */
export function readingsOf(lines: readonly Line[], tag: string, language: Language | undefined): Reading[] {
  const readings: Reading[] = [];
  const first = lines.find((line) => !isBlank(line))?.text ?? "";
  if (/^\s*>>> ?/.test(first)) readings.push({ lines: withoutPrompts(lines), sure: true });
  if (/^\s*In ?\[[\d ]*\]:/.test(first)) readings.push({ lines: withoutNotebook(lines), sure: true });
  if (tag === "diff" || tag === "patch" || looksLikeDiff(lines)) {
    readings.push({ lines: withoutDiffMarks(lines), sure: tag === "diff" || tag === "patch" });
  }
  if (/^\s*(?:irb\b.*?[>*]|jshell>|php >) ?/.test(first))
    readings.push({ lines: withoutShell(lines), sure: true });
  if (/^\s*\$ \S/.test(first) && (language === undefined || SYNTAX[language].lines.commands)) {
    readings.push({ lines: commandsIn(lines), sure: true });
  }
  const numbered = withoutNumbers(lines);
  if (numbered !== undefined) readings.push({ lines: numbered, sure: false });
  if (lines.some((line) => ENTITY.test(line.text))) {
    const outside = lines.some((line) => ENTITY.test(line.text.replace(/"[^"]*"|'[^']*'/g, "")));
    readings.push({
      lines: lines.map(decoded),
      sure: outside && !lines.some((line) => /[<>]/.test(line.text)),
    });
  }
  return readings;
}

/** Python's interactive session: what follows prompts is code, all else is output. */
function withoutPrompts(lines: readonly Line[]): Line[] {
  const code: Line[] = [];
  for (const line of lines) {
    const prompt = /^\s*(?:>>>|\.\.\.)(?: |$)/.exec(line.text);
    if (prompt !== null) code.push(cutFront(line, prompt[0].length));
  }
  return code;
}

/** Shells of other languages: the lines behind their prompts. */
function withoutShell(lines: readonly Line[]): Line[] {
  const code: Line[] = [];
  for (const line of lines) {
    const prompt = /^\s*(?:irb(?:\([^)]*\))?[:\d]*[>*]|jshell>|php >|\.{3}>) ?/.exec(line.text);
    if (prompt !== null) code.push(cutFront(line, prompt[0].length));
  }
  return code;
}

/** IPython: input and its continuation lines are code, output is not. */
function withoutNotebook(lines: readonly Line[]): Line[] {
  const code: Line[] = [];
  let input = false;
  for (const line of lines) {
    const prompt = /^\s*In ?\[[\d ]*\]: ?/.exec(line.text);
    if (prompt !== null) {
      input = true;
      code.push(cutFront(line, prompt[0].length));
      continue;
    }
    if (/^\s*Out ?\[[\d ]*\]:/.test(line.text)) {
      input = false;
      continue;
    }
    if (!input) continue;
    const continued = /^\s*\.{3,}: ?/.exec(line.text);
    code.push(continued === null ? line : cutFront(line, continued[0].length));
  }
  return code;
}

const DIFF_HEADER =
  /^(?:diff --git |index [0-9a-f]+\.\.|--- |\+\+\+ |@@ .*@@|\\ No newline|(?:new|deleted) file mode |similarity index |rename (?:from|to) )/;

function looksLikeDiff(lines: readonly Line[]): boolean {
  let added = 0;
  let removed = 0;
  let headers = 0;
  for (const { text } of lines) {
    if (DIFF_HEADER.test(text)) headers += 1;
    else if (text.startsWith("+")) added += 1;
    else if (text.startsWith("-")) removed += 1;
    else if (text !== "" && !/^\s/.test(text)) return false;
  }
  return headers > 0 ? added + removed > 0 : added > 0;
}

/** The new side of a diff: context and added lines without their mark. */
function withoutDiffMarks(lines: readonly Line[]): Line[] {
  const code: Line[] = [];
  for (const line of lines) {
    if (DIFF_HEADER.test(line.text) || line.text.startsWith("-")) continue;
    code.push(/^[+ ]/.test(line.text) ? cutFront(line, 1) : line);
  }
  return code;
}

/** A terminal session: commands behind `$`, the lines that continue them, no output. */
function commandsIn(lines: readonly Line[]): Line[] {
  const code: Line[] = [];
  let continued = false;
  for (const line of lines) {
    const prompt = /^\s*(?:\$|>) (?=\S)/.exec(line.text);
    const taken = prompt?.[0].trimStart().startsWith("$") === true || continued;
    if (!taken) continue;
    const command = prompt === null ? line : cutFront(line, prompt[0].length);
    code.push(command);
    continued = command.text.endsWith("\\");
  }
  return code;
}

/** Lines numbered from their first to their last; undefined when they are not. */
function withoutNumbers(lines: readonly Line[]): Line[] | undefined {
  if (lines.length < 2) return undefined;
  const code: Line[] = [];
  let last: number | undefined;
  for (const line of lines) {
    const number = /^\s*(\d{1,5})(?:[.:)|]| [|│]|(?= )|\t|$) ?/.exec(line.text);
    if (number === null) {
      if (isBlank(line)) continue;
      return undefined;
    }
    const value = Number(number[1]);
    if (last !== undefined && value !== last + 1) return undefined;
    last = value;
    code.push(cutFront(line, number[0].length));
  }
  return code;
}

const NAMED: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** The line with HTML's entities as characters. */
export function decoded(line: Line): Line {
  return withText(
    line,
    line.text.replace(
      /&(?:(lt|gt|amp|quot|apos|nbsp)|#(\d{1,6})|#x([0-9a-f]{1,5}));/gi,
      (whole, name, decimal, hex) => {
        if (typeof name === "string") return NAMED[name.toLowerCase()] ?? whole;
        const point =
          typeof decimal === "string" ? Number.parseInt(decimal, 10) : Number.parseInt(String(hex), 16);
        return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
      },
    ),
  );
}
