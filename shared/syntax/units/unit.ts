/**
 * The enclosing unit at a position: the function or method, else the type, else the statement. One rule for all
 * languages: walk from the root towards the position, step through what only holds units (namespaces, classes,
 * `describe` blocks), and stop at the first node that is one.
 */
import type { SyntaxNode } from "../parsing/parser.ts";
import {
  BODIES,
  BODIES_UNDER,
  CALL_PATH,
  CALLS,
  DATA,
  FUNCTION_VALUES,
  FUNCTIONS,
  GROUPING,
  HOLDERS,
  isComment,
  OBJECT_PATH,
  TYPES,
  WRAPPERS,
} from "./unit-nodes.ts";

/** A unit in a text; plain data that outlives its tree. Offsets are UTF-16 units into the parsed text. */
export interface Unit {
  readonly kind: "function" | "type" | "statement";
  readonly start: number;
  readonly end: number;
  /** Where the body starts (its bracket, or its first statement); undefined for a declaration without one. */
  readonly bodyStart: number | undefined;
  /** Where the statements in the body start, behind its bracket and documentation string. */
  readonly contentStart: number | undefined;
  readonly name: string | undefined;
}

/** What is at a position. */
export interface Place {
  /** Undefined where the position is directly in a container: a class body or the top level. */
  readonly node: SyntaxNode | undefined;
  readonly kind: Unit["kind"] | undefined;
  /** The type declarations around it, outermost first. */
  readonly types: readonly SyntaxNode[];
  /** What directly holds the unit, or the position. */
  readonly container: SyntaxNode;
}

/** Nodes on the way to a position that are looked at: units are above expressions, which may nest without end. */
const MAX_DEPTH = 500;

/** What is around the characters from `start` to `end`. */
export function placeAt(root: SyntaxNode, start: number, end: number): Place {
  const path = pathTo(root, start, end);
  const types: SyntaxNode[] = [];
  let container = root;
  let index = 1;
  for (let node = path[index]; node !== undefined; node = path[index]) {
    const groups = groupEnd(path, index);
    if (groups > index) {
      container = path[groups] ?? container;
      index = groups + 1;
    } else if (holds(path, index)) {
      container = node;
      if (TYPES.has(node.type)) types.push(node);
      index += 1;
    } else break;
  }
  const node = path[index];
  // A position between the units of a body, on its bracket or on a comment, is in the container itself.
  const direct = node === undefined || isComment(node) || (!node.isNamed && node.childCount === 0);
  const kind = direct ? undefined : kindOf(path.slice(index));
  const owner = types.at(-1);
  if (kind !== "function" && owner !== undefined && DATA.has(owner.type) && within(owner, container)) {
    const whole = withWrapper(owner);
    return { node: whole, kind: "type", types: types.slice(0, -1), container: whole.parent ?? root };
  }
  if (node === undefined || direct) return { node: undefined, kind: undefined, types, container };
  if (kind === "function" && !FUNCTIONS.has(unwrap(node).type)) {
    const method = objectMethod(path, index);
    if (method !== undefined) return { node: method, kind, types, container: method.parent ?? container };
  }
  return { node, kind, types, container };
}

/** The nodes that span a range, from the root down. From below it would cost squares: parents are searched for. */
function pathTo(root: SyntaxNode, start: number, end: number): SyntaxNode[] {
  const path: SyntaxNode[] = [];
  for (let node: SyntaxNode | undefined = root; node !== undefined && path.length < MAX_DEPTH; ) {
    path.push(node);
    node = node.children.find(
      (child) => child.startIndex <= start && child.endIndex >= end && child.endIndex > start,
    );
  }
  return path;
}

/** The data of a unit's node. */
export function unitOf(node: SyntaxNode, kind: Unit["kind"]): Unit {
  const declaration = declarationOf(node);
  const body = bodyOf(declaration);
  return {
    kind,
    start: node.startIndex,
    end: node.endIndex,
    bodyStart: body?.startIndex,
    contentStart: body === undefined ? undefined : contentStart(body),
    name: nameOf(declaration),
  };
}

/** The units in the containers of the tree, in the order of the text. */
export function unitsIn(root: SyntaxNode): Unit[] {
  const found: Unit[] = [];
  const visit = (node: SyntaxNode) => {
    for (const child of node.namedChildren) {
      const inner = unwrap(child);
      if (TYPES.has(inner.type)) {
        found.push(unitOf(child, "type"));
        visit(inner);
      } else if (isFunctionNode(inner)) found.push(unitOf(child, "function"));
      else if (HOLDERS.has(inner.type) || BODIES_UNDER.get(inner.type)?.has(node.type)) visit(inner);
    }
  };
  visit(root);
  return found;
}

/** A declared function, or a variable that holds one. */
function isFunctionNode(node: SyntaxNode): boolean {
  return (
    FUNCTIONS.has(node.type) || FUNCTIONS.has(declarationOf(node).type) || functionValue(node) !== undefined
  );
}

/** The node closes itself: its last token is really there. */
export function isClosed(node: SyntaxNode): boolean {
  for (let last: SyntaxNode | null = node; last !== null; last = last.lastChild) {
    if (last.isMissing) return false;
  }
  return true;
}

function holds(path: readonly SyntaxNode[], index: number): boolean {
  const node = path[index];
  if (node === undefined) return false;
  if (HOLDERS.has(node.type)) return true;
  if (TYPES.has(node.type)) return isBody(path[index + 1], node);
  const parents = BODIES_UNDER.get(node.type);
  if (parents !== undefined) return parents.has(path[index - 1]?.type ?? "");
  return (
    WRAPPERS.has(node.type) &&
    path[index + 1] !== undefined &&
    holds(path, index + 1) &&
    !isBare(path[index + 1])
  );
}

/** The child of a type that holds its members, which its name and its bases are not. */
function isBody(node: SyntaxNode | undefined, parent: SyntaxNode): boolean {
  return (
    node !== undefined && (HOLDERS.has(node.type) || BODIES_UNDER.get(node.type)?.has(parent.type) === true)
  );
}

/** An error or a body cannot be what a wrapper wraps. */
function isBare(node: SyntaxNode | undefined): boolean {
  return node === undefined || node.type === "ERROR";
}

/** Index of the body that a grouping call opens, or -1. */
function groupEnd(path: readonly SyntaxNode[], index: number): number {
  const at = path[index]?.type === "expression_statement" ? index + 1 : index;
  const call = path[at];
  if (call === undefined || !CALLS.has(call.type)) return -1;
  const callee = call.childForFieldName("function") ?? call.childForFieldName("method");
  if (callee === null || !GROUPING.test(callee.text)) return -1;
  let end = at;
  while (CALL_PATH.has(path[end + 1]?.type ?? "")) {
    end += 1;
    if (/^(?:statement_block|body_statement)$/.test(path[end]?.type ?? "")) return end;
  }
  return path[end]?.type === "do_block" ? end : -1;
}

function kindOf(path: readonly SyntaxNode[]): Unit["kind"] {
  const [node] = path;
  if (node === undefined) return "statement";
  const inner = unwrap(node);
  if (FUNCTIONS.has(inner.type)) return "function";
  if (TYPES.has(inner.type)) return "type";
  if (functionValue(inner) !== undefined) return "function";
  // A property with accessors, a statement with a callback, and the position in it.
  const inFunction = path.some(
    (one) =>
      FUNCTION_VALUES.has(one.type) ||
      FUNCTIONS.has(one.type) ||
      /accessor|getter|setter|arrow_expression_clause/.test(one.type),
  );
  return inFunction ? "function" : "statement";
}

/** The first method or function-valued pair on the way through object literals. */
function objectMethod(path: readonly SyntaxNode[], index: number): SyntaxNode | undefined {
  for (let at = index; at < path.length; at++) {
    const node = path[at];
    if (node === undefined) return undefined;
    const inObject = path[at - 1]?.type === "object";
    if (inObject && node.type === "method_definition") return node;
    if (inObject && node.type === "pair" && FUNCTION_VALUES.has(node.childForFieldName("value")?.type ?? ""))
      return node;
    if (!OBJECT_PATH.has(node.type)) return undefined;
  }
  return undefined;
}

function within(owner: SyntaxNode, container: SyntaxNode): boolean {
  return container.startIndex >= owner.startIndex && container.endIndex <= owner.endIndex;
}

/** What a decorated, exported or templated declaration declares. */
function unwrap(node: SyntaxNode): SyntaxNode {
  let inner = node;
  while (WRAPPERS.has(inner.type)) {
    const next =
      inner.childForFieldName("definition") ?? inner.childForFieldName("declaration") ?? inner.lastNamedChild;
    if (next === null) break;
    inner = next;
  }
  return inner;
}

/** The declaration with its decorators, its `export` and the like. */
export function withWrapper(node: SyntaxNode): SyntaxNode {
  let outer = node;
  while (outer.parent !== null && WRAPPERS.has(outer.parent.type)) outer = outer.parent;
  return outer;
}

/** The function that a variable declaration or assignment names. */
function functionValue(node: SyntaxNode): SyntaxNode | undefined {
  const holder = /^(?:lexical|variable|property|short_var)_declaration$|^var_declaration$/.test(node.type)
    ? (node.namedChildren.find((child) => child.type === "variable_declarator") ?? node)
    : node;
  const value = holder.childForFieldName("value") ?? holder.childForFieldName("right");
  return value !== null && FUNCTION_VALUES.has(value.type) ? value : undefined;
}

/** The node that has the name and the body: a wrapper's content, a variable's function. */
function declarationOf(node: SyntaxNode): SyntaxNode {
  const inner = unwrap(node);
  if (inner.type === "type_declaration") return inner.firstNamedChild ?? inner;
  return inner;
}

function nameOf(node: SyntaxNode): string | undefined {
  // A call with a callback has none: what it calls is no name of its own.
  if (CALLS.has(node.type)) return undefined;
  const named =
    node.childForFieldName("name") ??
    node.namedChildren.find((child) => child.type === "variable_declarator")?.childForFieldName("name") ??
    node.childForFieldName("left") ??
    node.childForFieldName("key");
  if (named !== null && named !== undefined) return named.text;
  // C wraps the name in declarators.
  let declarator = node.childForFieldName("declarator");
  for (let next = declarator; next !== null; next = next.childForFieldName("declarator")) declarator = next;
  return declarator?.text ?? node.namedChildren.find((child) => /identifier$/.test(child.type))?.text;
}

function bodyOf(node: SyntaxNode): SyntaxNode | undefined {
  const own = functionValue(node) ?? node;
  const field = own.childForFieldName("body");
  if (field !== null) return field;
  return own.namedChildren.findLast((child) => BODIES.has(child.type));
}

function contentStart(body: SyntaxNode): number {
  const outer = body.type === "function_body" ? (body.firstNamedChild ?? body) : body;
  const bracket = outer.firstChild;
  if (bracket !== null && (bracket.type === "{" || bracket.type === "(")) return bracket.endIndex;
  const first = outer.firstNamedChild;
  if (first?.type === "expression_statement" && first.firstNamedChild?.type === "string")
    return first.endIndex;
  return outer.startIndex;
}
