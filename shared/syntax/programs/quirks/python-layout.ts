/** Python's rules of indentation, which its grammar is lenient about, and what only Python 2 accepts. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { ProgramFault } from "../validity.ts";

/** Python counts a tab as reaching the next multiple of eight columns. */
const TAB = 8;

/** A logical line: it may go over several lines inside of brackets, strings and after backslashes. */
interface Logical {
  readonly row: number;
  readonly indent: number;
  /** The same with a tab as one column: Python refuses indentation that depends on the width of tabs. */
  readonly narrow: number;
  /** Without comments, and with strings emptied. */
  text: string;
}

/** The first offence against the layout, or use of Python 2; undefined when there is none. */
export function layoutFault({ code }: ParsedProgram): ProgramFault | undefined {
  const indents = [0];
  const narrows = [0];
  let expects = false;
  let last = 0;
  for (const line of logicalLines(code)) {
    last = line.row;
    const at = { row: line.row, column: 0 };
    const current = indents.at(-1) ?? 0;
    if (expects) {
      if (line.indent <= current) return { at, message: "An indented block is missing before this line." };
      indents.push(line.indent);
      narrows.push(line.narrow);
    } else if (line.indent > current) {
      return { at, message: "This line is indented more than the block it is in." };
    } else {
      while ((indents.at(-1) ?? 0) > line.indent) {
        indents.pop();
        narrows.pop();
      }
      if ((indents.at(-1) ?? 0) !== line.indent) {
        return { at, message: "This line's indentation is that of no block around it." };
      }
      if ((narrows.at(-1) ?? 0) !== line.narrow)
        return { at, message: "Tabs and spaces are mixed in the indentation." };
    }
    const old = olderSyntax(line.text);
    if (old !== undefined) return { at: { row: line.row, column: line.indent }, message: old };
    expects = line.text.endsWith(":");
  }
  return expects
    ? { at: { row: last, column: 0 }, message: "The block after this line is missing." }
    : undefined;
}

function olderSyntax(text: string): string | undefined {
  if (
    /^(?:print|exec)\s+(?:["'\w]|>>)/.test(text) &&
    !/^(?:print|exec)\s+(?:in|is|if|and|or|not|for|as)\b/.test(text)
  ) {
    return "Python 3 wants brackets here: this is Python 2.";
  }
  if (/^raise\s+[\w.]+\s*,/.test(text)) return "This form of raise is Python 2.";
  if (text.includes("<>")) return "The operator <> is Python 2.";
  if (text.includes("`")) return "Python has no backticks.";
  if (/(?<![\w.])0(?=\d*[1-9])\d+(?![\w.])/.test(text)) return "Numbers do not start with 0 in Python 3.";
  return undefined;
}

/** The logical lines that hold code, in order. */
function* logicalLines(code: string): Generator<Logical> {
  let depth = 0;
  let row = 0;
  let line: Logical | undefined;
  let index = 0;
  while (index < code.length) {
    if (line === undefined) {
      let indent = 0;
      let narrow = 0;
      for (; index < code.length; index++) {
        const unit = code.charAt(index);
        if (unit === " ") indent += 1;
        else if (unit === "\t") indent += TAB - (indent % TAB);
        else if (unit === "\f") indent = 0;
        else break;
        narrow += 1;
      }
      line = { row, indent, narrow, text: "" };
      continue;
    }
    const unit = code.charAt(index);
    switch (unit) {
      case "\n":
        row += 1;
        index += 1;
        if (depth > 0) continue;
        if (line.text.trim() !== "") yield { ...line, text: line.text.trimEnd() };
        line = undefined;
        continue;
      case "\\":
        if (code.charAt(index + 1) === "\n") {
          row += 1;
          index += 1;
        }
        line.text += " ";
        break;
      case "#":
        while (index < code.length && code.charAt(index) !== "\n") index += 1;
        continue;
      case '"':
      case "'": {
        const end = stringEnd(code, index, unit);
        for (let inside = index; inside < end; inside++) if (code.charAt(inside) === "\n") row += 1;
        line.text += '""';
        index = end;
        continue;
      }
      case "(":
      case "[":
      case "{":
        depth += 1;
        line.text += unit;
        break;
      case ")":
      case "]":
      case "}":
        if (depth > 0) depth -= 1;
        line.text += unit;
        break;
      default:
        line.text += unit;
    }
    index += 1;
  }
  if (line !== undefined && line.text.trim() !== "") yield { ...line, text: line.text.trimEnd() };
}

function stringEnd(code: string, start: number, quote: string): number {
  const triple = quote.repeat(3);
  const long = code.startsWith(triple, start);
  for (let index = start + (long ? 3 : 1); index < code.length; index++) {
    const unit = code.charAt(index);
    if (unit === "\\") index += 1;
    else if (long ? code.startsWith(triple, index) : unit === quote) return index + (long ? 3 : 1);
    else if (unit === "\n" && !long) return index;
  }
  return code.length;
}
