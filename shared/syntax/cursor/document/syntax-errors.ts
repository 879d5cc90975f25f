/** Syntax errors as places that can be compared between two parses of nearly the same text. */
import { type Language, SYNTAX } from "../../languages/languages.ts";
import type { SyntaxNode, SyntaxTree } from "../../parsing/parser.ts";
import { quirkIn } from "../../programs/quirks.ts";
import { isComment } from "../../units/unit-nodes.ts";

/** A syntax error in the assembled text. Offsets count from the start of the excerpt. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  readonly missing: string | undefined;
  /** What is wrong, where the grammar let it pass. */
  readonly message?: string;
}

/**
 * The errors of a text by its tree: missing tokens, tokens that no rule took up, and the first thing that the
 * grammar accepts and the language does not. None where the text is valid.
 */
export function faultsOf(tree: SyntaxTree, text: string, language: Language): Fault[] {
  const faults = strayClosers(tree, text, language);
  const quirk = quirkIn({ tree, children: tree.rootNode.children, code: text }, language);
  if (quirk !== undefined) {
    const at = offsetOf(text, quirk.at.row) + quirk.at.column;
    faults.push({ start: at, end: at, missing: undefined, message: quirk.message });
  }
  if (!tree.rootNode.hasError) return faults;
  // Not by recursion: expressions nest deeper than the stack.
  const stack: SyntaxNode[] = [tree.rootNode];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.isMissing) faults.push({ start: node.startIndex, end: node.startIndex, missing: node.type });
    else if (node.isError) {
      const loose = node.children.filter(
        (child) => child.childCount === 0 && !child.isMissing && !isComment(child),
      );
      if (loose.length === 0) faults.push({ start: node.startIndex, end: node.endIndex, missing: undefined });
      for (const child of loose) {
        faults.push({ start: child.startIndex, end: child.endIndex, missing: undefined });
      }
    }
    if (node.hasError) for (const child of node.children.toReversed()) stack.push(child);
  }
  return faults;
}

function offsetOf(text: string, row: number): number {
  let offset = 0;
  for (let count = 0; count < row; count++) offset = text.indexOf("\n", offset) + 1;
  return offset;
}

/** Equal for the same error of two texts, of which one has `inserted` more characters before it. */
export function faultKey(fault: Fault, inserted: number): string {
  return `${fault.start - inserted}-${fault.end - inserted}-${fault.missing ?? ""}`;
}

/** Words that close or continue nothing: the grammar takes them for names or commands. */
function strayClosers(tree: SyntaxTree, text: string, language: Language): Fault[] {
  const stray = SYNTAX[language].lexis.blockWords?.stray;
  if (stray === undefined) return [];
  const faults: Fault[] = [];
  const cursor = tree.walk();
  try {
    for (let more = true; more; ) {
      if (cursor.nodeType === stray.node) {
        const { startIndex: start, endIndex: end } = cursor;
        if (stray.words.test(text.slice(start, end))) faults.push({ start, end, missing: undefined });
      }
      more = cursor.gotoFirstChild() || cursor.gotoNextSibling();
      while (!more && cursor.gotoParent()) more = cursor.gotoNextSibling();
    }
  } finally {
    cursor.delete();
  }
  return faults;
}
