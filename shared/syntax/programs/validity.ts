/** Whether a program parses, and what is wrong where when it does not. */
import type { Language } from "../languages/languages.ts";
import type { Position, SyntaxNode, SyntaxRuntime, SyntaxTree } from "../parsing/parser.ts";
import { quirkIn } from "./quirks.ts";

/** What is wrong, and where in the program. */
export interface ProgramFault {
  /** Zero-based, within the program. */
  readonly at: Position;
  readonly message: string;
}

export type Verdict =
  | { readonly state: "valid" }
  /** It parses, but nothing is there: comments, `pass`, nothing at all. */
  | { readonly state: "nothing" }
  | { readonly state: "invalid"; readonly faults: readonly ProgramFault[] }
  /** Beyond the limits by size: not known. */
  | { readonly state: "too large" };

/** Faults that are reported at most: the first ones matter, the others often follow from them. */
const MAX_FAULTS = 10;

/**
 * Longest program that is checked, in UTF-16 units: the 16,000 tokens that the largest reward model reads. What the
 * grammars do worst with, within all other limits, takes them about half a second at this length.
 */
const MAX_PROGRAM_LENGTH = 64 * 1024;

/** A parsed text and what it is worth. The tree, if there is one, is the caller's to delete. */
export interface Checked {
  readonly tree: SyntaxTree | null;
  readonly verdict: Verdict;
}

/** Parses and judges a program; its language must be loaded. */
export function check(code: string, language: Language, runtime: SyntaxRuntime): Checked {
  if (code.trim() === "") return { tree: null, verdict: { state: "nothing" } };
  if (code.length > MAX_PROGRAM_LENGTH) return { tree: null, verdict: { state: "too large" } };
  // Some grammars want a line end behind the last line.
  const tree = runtime.parse(language, `${code}\n`);
  return { tree, verdict: tree === null ? { state: "too large" } : judge(tree, code, language) };
}

/** Judges a program by its tree. */
export function judge(tree: SyntaxTree, code: string, language: Language): Verdict {
  const root = tree.rootNode;
  const children = root.children;
  if (root.hasError) {
    const faults = faultsIn(root);
    if (faults.length > 0) return { state: "invalid", faults };
  }
  if (children.every(isIdle)) return { state: "nothing" };
  const quirk = quirkIn({ tree, children, code }, language);
  return quirk === undefined ? { state: "valid" } : { state: "invalid", faults: [quirk] };
}

/** Nodes that do nothing. */
const IDLE =
  /comment$|^(?:pass_statement|empty_statement|php_tag|php_end_tag|ellipsis|text|line_continuation|package_clause|package_declaration|package_header|;|\n)$/;

function isIdle(node: SyntaxNode): boolean {
  if (IDLE.test(node.type)) return true;
  return (
    node.type === "expression_statement" &&
    node.namedChildren.every((child) => IDLE.test(child.type) || isTodo(child))
  );
}

/** A lone word TODO, or Python's `...`. */
function isTodo(node: SyntaxNode): boolean {
  return node.type === "identifier" && /^(?:TODO|FIXME|XXX)$/i.test(node.text);
}

/** The ERROR and MISSING nodes in order, as places and words. */
export function faultsIn(root: SyntaxNode): ProgramFault[] {
  const faults: ProgramFault[] = [];
  const stack: SyntaxNode[] = [root];
  while (stack.length > 0 && faults.length < MAX_FAULTS) {
    const node = stack.pop();
    if (node === undefined || !(node.hasError || node.isMissing)) continue;
    if (node.isMissing) {
      // Kotlin's grammar misses the end of a line before a bracket that needs none.
      if (node.type.startsWith("_")) continue;
      faults.push({ at: node.startPosition, message: `${quoted(node.type)} is missing here.` });
      continue;
    }
    if (node.isError) faults.push(errorAt(node));
    else for (const child of node.children.toReversed()) stack.push(child);
  }
  return faults;
}

/** Where an ERROR node is wrong: at a bracket without its partner, or else where it starts. */
function errorAt(node: SyntaxNode): ProgramFault {
  const bracket = unmatchedIn(node);
  if (bracket !== undefined) return bracket;
  const inner = node.children.find((child) => child.isError) ?? node;
  const first = inner.text.trimStart().split(/\s/, 1)[0] ?? "";
  return {
    at: inner.startPosition,
    message: first === "" ? "This does not parse." : `${quoted(first.slice(0, 40))} does not fit here.`,
  };
}

const CLOSES: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

/** The first bracket directly inside an ERROR node that has no partner there. */
function unmatchedIn(node: SyntaxNode): ProgramFault | undefined {
  const open: SyntaxNode[] = [];
  for (const child of node.children) {
    const opener = CLOSES.get(child.type);
    if (opener !== undefined) {
      if (open.at(-1)?.type !== opener)
        return { at: child.startPosition, message: `${quoted(child.type)} closes nothing.` };
      open.pop();
    } else if (/^[([{]$/.test(child.type)) open.push(child);
  }
  const last = open.at(-1);
  return last && { at: last.startPosition, message: `${quoted(last.type)} is never closed.` };
}

function quoted(text: string): string {
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}
