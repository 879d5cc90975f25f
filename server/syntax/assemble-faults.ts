// Syntax errors as places that can be compared between two parses of nearly the same text.
import type { Language } from "./languages.ts";
import type { SyntaxNode, SyntaxTree } from "./parser.ts";
import { isComment } from "./unit.ts";

/** A syntax error in the assembled text. Offsets count from the start of the window. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  readonly missing: string | undefined;
}

/** The errors of a tree: missing tokens, and tokens that no rule took up. */
export function faultsOf(tree: SyntaxTree, language: Language): Fault[] {
  const faults = strayClosers(tree, language);
  const visit = (node: SyntaxNode) => {
    if (node.isMissing) faults.push({ start: node.startIndex, end: node.startIndex, missing: node.type });
    else if (node.isError) {
      const loose = node.children.filter(
        (child) => child.childCount === 0 && !child.isMissing && !isComment(child),
      );
      if (loose.length === 0) faults.push({ start: node.startIndex, end: node.endIndex, missing: undefined });
      for (const child of loose)
        faults.push({ start: child.startIndex, end: child.endIndex, missing: undefined });
    }
    if (node.hasError) for (const child of node.children) visit(child);
  };
  visit(tree.rootNode);
  return faults;
}

/** Equal for the same error of two texts, of which one has `inserted` more characters before it. */
export function faultKey(fault: Fault, inserted: number): string {
  return `${fault.start - inserted}-${fault.end - inserted}-${fault.missing ?? ""}`;
}

/** Words that only close or continue something, which the grammar takes for a name or a command elsewhere. */
const STRAYS: Readonly<Partial<Record<Language, { readonly type: string; readonly words: RegExp }>>> = {
  ruby: { type: "identifier", words: /^end$/ },
  bash: { type: "command_name", words: /^(?:[{}]|\]{1,2}|fi|done|esac|then|else|elif|do)$/ },
};

/** Closing words that close nothing. */
export function strayClosers(tree: SyntaxTree, language: Language): Fault[] {
  const stray = STRAYS[language];
  if (stray === undefined) return [];
  const faults: Fault[] = [];
  const text = tree.rootNode.text;
  const offset = tree.rootNode.startIndex;
  const cursor = tree.walk();
  try {
    for (let more = true; more; ) {
      if (cursor.nodeType === stray.type) {
        const { startIndex: start, endIndex: end } = cursor;
        if (stray.words.test(text.slice(start - offset, end - offset)))
          faults.push({ start, end, missing: undefined });
      }
      more = cursor.gotoFirstChild() || cursor.gotoNextSibling();
      while (!more && cursor.gotoParent()) more = cursor.gotoNextSibling();
    }
  } finally {
    cursor.delete();
  }
  return faults;
}
