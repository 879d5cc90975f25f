/** By what and by how much the lines of a document are indented. */

/** Columns of one tab, as most editors show it; it only has to be the same everywhere here. */
export const TAB = 4;

/** Lines before the cursor that are looked at for the document's style: its own surroundings matter most. */
export const STYLE_LINES = 200;

/** How a document is indented. */
export interface IndentStyle {
  readonly tabs: boolean;
  /** Columns of one level; undefined where no line is indented. */
  readonly unit: number | undefined;
  /** Both are in use, as where a tab takes the place of eight spaces: lines are better left as they are. */
  readonly mixed: boolean;
}

/** Columns of the white space that a line starts with. */
export function indentOf(line: string): number {
  let columns = 0;
  for (const character of line) {
    if (character === " ") columns += 1;
    else if (character === "\t") columns += TAB - (columns % TAB);
    else break;
  }
  return columns;
}

/** Lines (from 0) of the texts before and after the cursor that are inside of strings: their white space is data. */
export interface LiteralLines {
  readonly before: ReadonlySet<number>;
  readonly after: ReadonlySet<number>;
}

/** The style of the lines around the cursor. */
export function indentStyle(before: string, after: string, literal: LiteralLines): IndentStyle {
  const all = before.split("\n");
  const near = Math.max(0, all.length - STYLE_LINES);
  const lines = [
    ...all.slice(near).filter((_, index) => !literal.before.has(near + index)),
    ...after.split("\n", STYLE_LINES).filter((_, index) => !literal.after.has(index)),
  ];
  const tabs = lines.filter((line) => line.startsWith("\t")).length;
  const spaces = lines.filter((line) => /^ {2}/.test(line)).length;
  const mixed = Math.min(tabs, spaces) * 5 > Math.max(tabs, spaces);
  return tabs > spaces ? { tabs: true, unit: TAB, mixed } : { tabs: false, unit: unitOf(lines), mixed };
}

/** The step by which lines are indented further than the ones before; undefined when none is. */
export function unitOf(lines: readonly string[]): number | undefined {
  const counts = new Map<number, number>();
  let previous: number | undefined;
  for (const line of lines) {
    // Lines of block comments are off by one column.
    if (line.trim() === "" || /^\s+\*/.test(line)) continue;
    const columns = indentOf(line);
    const step = previous === undefined ? 0 : columns - previous;
    if (step > 1 && step <= 8) counts.set(step, (counts.get(step) ?? 0) + 1);
    previous = columns;
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return best?.[0];
}

/** White space of so many columns. */
export function render(columns: number, style: IndentStyle): string {
  return style.tabs
    ? "\t".repeat(Math.floor(columns / TAB)) + " ".repeat(columns % TAB)
    : " ".repeat(columns);
}

/** The line is indented by the characters of the style. A document without indentation has none to violate. */
export function sameStyle(line: string, style: IndentStyle): boolean {
  return style.unit === undefined || (style.tabs ? !/^\t* {4}/.test(line) : !/^ *\t/.test(line));
}
