// Cursor positions in a file of a real package: where its author could have been typing, what was written there, and
// where the document goes on. Cut by the syntax tree, at random by a seed, and by nothing of the assembly.

/** What a position shows. */
export const KINDS = ["line", "brackets", "literal", "word", "unclosed"];

const FUNCTIONS = {
  python: ["function_definition"],
  typescript: ["function_declaration", "method_definition", "arrow_function"],
  go: ["function_declaration", "method_declaration"],
  rust: ["function_item"],
  java: ["method_declaration", "constructor_declaration"],
};
const BLOCKS = ["block", "statement_block", "constructor_body"];
const BRACKETS = {
  python: ["argument_list", "subscript", "parenthesized_expression", "list", "tuple"],
  typescript: ["arguments", "array", "parenthesized_expression", "subscript_expression"],
  go: ["argument_list", "index_expression", "parenthesized_expression"],
  rust: ["arguments", "index_expression", "parenthesized_expression", "array_expression"],
  java: ["argument_list", "parenthesized_expression", "array_access"],
};
const LITERALS = {
  python: ["dictionary", "list", "set", "argument_list"],
  typescript: ["object", "array"],
  go: ["literal_value"],
  rust: ["field_initializer_list", "array_expression", "token_tree"],
  java: ["array_initializer", "argument_list"],
};
const OPENERS = { "(": ")", "[": "]", "{": "}" };

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * One position of a kind. The prefix is `text` up to `start`, what was written there up to `end`, and the suffix what
 * follows `resume`: more than `end` where closers are taken away that a typist has not come to.
 * @returns undefined where the file has no such place
 */
export function positionIn(kind, text, tree, language, random) {
  const functions = tree.rootNode
    .descendantsOfType(FUNCTIONS[language])
    .filter((node) => node.endPosition.row - node.startPosition.row >= 4);
  if (functions.length === 0) return undefined;
  for (let attempt = 0; attempt < 30; attempt++) {
    const found = FINDERS[kind](text, one(functions, random), language, random);
    if (found === undefined) continue;
    const middle = text.slice(found.start, found.end);
    if (middle.trim() === "" || middle.length > 1200) continue;
    return { kind, ...found, resume: found.resume ?? found.end };
  }
  return undefined;
}

const FINDERS = { line, brackets, literal, word, unclosed };

function one(items, random) {
  return items[Math.floor(random() * items.length)];
}

/** Statements of a block, each on lines of its own. */
function statementsOf(block) {
  const inner = block.namedChildren.length === 1 && block.firstNamedChild.type === "statement_list";
  const all = (inner ? block.firstNamedChild : block).namedChildren.filter(
    ({ type }) => !/comment/.test(type),
  );
  return all.every((node, at) => at === 0 || node.startPosition.row > all[at - 1].endPosition.row) ? all : [];
}

function lineStart(text, at) {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function lineEnd(text, at) {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** A statement's start on a line of its own, and the end of the line above it that is not blank. */
function cursorBefore(text, statement, random) {
  const own = lineStart(text, statement.startIndex);
  if (text.slice(own, statement.startIndex).trim() !== "") return undefined;
  return random() < 0.5 ? statement.startIndex : text.slice(0, own).trimEnd().length;
}

/** The end of a line: the next statements follow, or the rest of one. */
function line(text, node, _language, random) {
  const block = one(node.descendantsOfType(BLOCKS), random);
  const statements = block === undefined ? [] : statementsOf(block);
  if (statements.length === 0) return undefined;
  const at = Math.floor(random() * statements.length);
  const first = statements[at];
  if (random() < 0.35) {
    if (first.startPosition.row !== first.endPosition.row) return undefined;
    const leaf = one(leavesOf(first).slice(1), random);
    return leaf === undefined ? undefined : { start: leaf.startIndex, end: endOf(text, first) };
  }
  const last =
    random() < 0.5 ? statements.at(-1) : statements[at + Math.floor(random() * (statements.length - at))];
  const start = cursorBefore(text, first, random);
  return start === undefined ? undefined : { start, end: endOf(text, last) };
}

/** Behind a statement and the semicolon that some grammars keep out of it. */
function endOf(text, node) {
  return node.endIndex + (/^;/.exec(text.slice(node.endIndex))?.[0].length ?? 0);
}

function leavesOf(node) {
  return node.childCount === 0 ? [node] : node.children.flatMap(leavesOf);
}

/** The closing bracket of a node and the offsets behind its opener and its commas. */
function insideOf(node) {
  const opener = node.children.findIndex(({ type }) => type in OPENERS);
  const closer = node.lastChild;
  if (opener < 0 || closer.type !== OPENERS[node.children[opener].type]) return undefined;
  const elements = node.children.slice(opener + 1, -1);
  const commas = elements.filter(({ type }) => type === ",");
  return { open: node.children[opener].endIndex, close: closer.startIndex, commas, elements };
}

/** Inside brackets of one line. */
function brackets(text, node, language, random) {
  const inside = insideOf(
    one(
      node
        .descendantsOfType(BRACKETS[language])
        .filter((one) => one.startPosition.row === one.endPosition.row && one.namedChildCount > 0),
      random,
    ) ?? node,
  );
  if (inside === undefined || inside.elements.length === 0) return undefined;
  const comma = random() < 0.3 ? one(inside.commas, random) : undefined;
  const start = comma === undefined ? inside.open : comma.endIndex + (text[comma.endIndex] === " " ? 1 : 0);
  return { start, end: inside.close };
}

/** Inside the literal of an object, a list, a struct, or in arguments of several lines. */
function literal(text, node, language, random) {
  const nodes = node.descendantsOfType(LITERALS[language]).filter((one) => {
    const lines = one.endPosition.row > one.startPosition.row;
    return one.namedChildCount > 0 && (lines || !/^arg|token_tree/.test(one.type));
  });
  const inside = insideOf(one(nodes, random) ?? node);
  if (inside === undefined || inside.elements.length === 0) return undefined;
  const comma = random() < 0.5 ? one(inside.commas, random) : undefined;
  let start = comma?.endIndex ?? inside.open;
  if (random() < 0.5) start += /^\s*/.exec(text.slice(start))[0].length;
  const end = random() < 0.5 ? inside.close : inside.elements.at(-1).endIndex;
  return { start, end };
}

/** Inside a word: the rest of it, or of its line where that has no bracket of its own open. */
function word(text, node, _language, random) {
  const leaf = one(
    leavesOf(node).filter(({ startIndex, endIndex }) =>
      /^[A-Za-z_]\w{3,}$/.test(text.slice(startIndex, endIndex)),
    ),
    random,
  );
  if (leaf === undefined) return undefined;
  const start = leaf.startIndex + 2 + Math.floor(random() * (leaf.endIndex - leaf.startIndex - 2));
  const end = lineEnd(text, start);
  if (random() < 0.3 || /[()[\]{}]/.test(text.slice(start, end).replace(/\([^()]*\)|\[[^[\]]*\]/g, "")))
    return { start, end: leaf.endIndex };
  return { start, end: text.slice(0, end).trimEnd().length };
}

/** In blocks whose closing brackets are not there yet; in Python, in brackets. */
function unclosed(text, node, language, random) {
  if (language === "python") {
    const open = one(
      node
        .descendantsOfType(["argument_list", "list", "dictionary", "tuple"])
        .filter((one) => one.namedChildCount > 0),
      random,
    );
    const inside = open === undefined ? undefined : insideOf(open);
    if (inside === undefined) return undefined;
    let statement = open;
    while (statement.parent !== null && !BLOCKS.includes(statement.parent.type)) statement = statement.parent;
    if (/^(?:for|if|while|with|try|function|class|decorated)/.test(statement.type)) return undefined;
    return {
      start: (one(inside.commas, random) ?? { endIndex: inside.open }).endIndex,
      end: statement.endIndex,
    };
  }
  const blocks = node.descendantsOfType(BLOCKS).filter((one) => statementsOf(one).length > 0);
  const block = one(blocks.length > 1 ? blocks.slice(1) : blocks, random);
  const statements = block === undefined ? [] : statementsOf(block);
  if (statements.length === 0) return undefined;
  const start = cursorBefore(text, one(statements, random), random);
  if (start === undefined) return undefined;
  const end = random() < 0.6 ? node.endIndex : endOf(text, statements.at(-1));
  return { start, end, resume: node.endIndex };
}
