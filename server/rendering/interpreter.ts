/** A Jinja interpreter that cannot run away, and whose strings behave as Python's. */
import { type Environment, Interpreter } from "@huggingface/jinja";
import { codePoints, lstrip, rstrip, split, strip } from "./python-strings.ts";

type Node = NonNullable<Parameters<Interpreter["evaluate"]>[0]>;
type Value = ReturnType<Interpreter["evaluate"]>;

/** How much one rendering may do; what exceeds it ends in a BudgetError. */
export interface Budget {
  /** Evaluated nodes; long strings and lists count by their length. */
  readonly steps: number;
  /** Longest string, and largest list with all it holds, in UTF-16 units. */
  readonly size: number;
}

/** The template did more than any chat template has reason to. */
export class BudgetError extends Error {}

/** A string of so many units costs one step more: copying it takes about as long as a step. */
const UNITS_PER_STEP = 1024;
/** What an element costs beside its own size: keys, objects. */
const ELEMENT_SIZE = 16;
/** Numbers beyond this would only serve to repeat or indent without end. */
const LARGEST_NUMBER = 1_000_000;

/**
 * Every construct is evaluated through `evaluate`, so that is where work is counted and every value is measured.
 * A single operation may still build a string up to the longest of V8 before it is refused.
 */
export class BoundedInterpreter extends Interpreter {
  readonly #size: number;
  /** Cost of defining a macro: the interpreter walks its whole body each time. */
  readonly #macroSteps: number;
  #steps: number;
  /** Sizes of lists and objects, which never change once made. */
  readonly #sizes = new WeakMap<object, number>();

  constructor(scope: Environment, budget: Budget, templateLength: number) {
    super(scope);
    this.#steps = budget.steps;
    this.#size = budget.size;
    this.#macroSteps = templateLength;
  }

  override evaluate(node: Node | undefined, scope: Environment): Value {
    const macro = node?.type === "Macro" || node?.type === "CallStatement";
    this.#spend(macro ? this.#macroSteps : 1);
    const value = (node && this.#stringOperation(node, scope)) ?? super.evaluate(node, scope);
    this.#measure(value);
    return value;
  }

  #spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new BudgetError("it does not come to an end");
  }

  #measure(value: Value): void {
    const content: unknown = value.value;
    if (typeof content === "string") {
      this.#spend(Math.floor(content.length / UNITS_PER_STEP));
      if (content.length > this.#size) throw new BudgetError("it makes too long a text");
    } else if (typeof content === "number") {
      if (Math.abs(content) > LARGEST_NUMBER) throw new BudgetError("it counts too high");
    } else if (content instanceof Map || Array.isArray(content)) {
      if (this.#sizeOf(value) > this.#size) throw new BudgetError("it makes too large a list");
    }
  }

  /** Size of a value with all it holds; what occurs twice counts twice, because printing it would. */
  #sizeOf(value: Value): number {
    const content: unknown = value.value;
    if (typeof content === "string") return content.length;
    if (!(content instanceof Map) && !Array.isArray(content)) return 0;
    // A namespace can change later, so its size is not kept, and nothing that is kept may hold one.
    const changeable = value.type === "NamespaceValue";
    const known = changeable ? undefined : this.#sizes.get(value);
    if (known !== undefined) return known;
    const elements: Value[] = Array.from(content.values());
    this.#spend(elements.length);
    let size = 0;
    for (const element of elements) {
      if (element.type === "NamespaceValue") throw new BudgetError("it nests namespaces");
      size += ELEMENT_SIZE + this.#sizeOf(element);
    }
    if (!changeable) this.#sizes.set(value, size);
    return size;
  }

  /** The operations in which the library's strings differ from Python's; undefined for all others. */
  #stringOperation(node: Node, scope: Environment): Value | undefined {
    if (node.type === "FilterExpression" && "filter" in node && "operand" in node) {
      const filter = nameOfFilter(node.filter);
      if (filter !== "trim" && filter !== "length" && filter !== "count") return undefined;
      const operand = this.evaluate(asNode(node.operand), scope);
      const text: unknown = operand.value;
      if (filter === "trim") {
        if (typeof text !== "string") throw new Error(`trim needs a text, not ${operand.type}`);
        const [characters] = this.#texts(argumentsOf(node.filter), scope);
        return this.#text(strip(text, characters), scope);
      }
      if (typeof text === "string") return this.#number(codePoints(text), scope);
      if (Array.isArray(text)) return this.#number(text.length, scope);
      if (text instanceof Map) return this.#number(text.size, scope);
      throw new Error(`${filter} needs a text or a list, not ${operand.type}`);
    }
    if (node.type !== "CallExpression" || !("callee" in node)) return undefined;
    const callee = asNode(node.callee);
    if (callee.type !== "MemberExpression" || !("object" in callee) || !("property" in callee))
      return undefined;
    if ("computed" in callee && callee.computed === true) return undefined;
    const method = nameOf(callee.property);
    if (method !== "strip" && method !== "lstrip" && method !== "rstrip" && method !== "split")
      return undefined;
    const object = this.evaluate(asNode(callee.object), scope);
    const text: unknown = object.value;
    if (typeof text !== "string") throw new Error(`${method} needs a text, not ${object.type}`);
    if (method === "split") {
      const [separator, count] = argumentsOf(node).map((argument): unknown => {
        const value = this.evaluate(asNode(argument), scope);
        return value.value ?? undefined;
      });
      if (separator !== undefined && typeof separator !== "string")
        throw new Error("split needs a text to split at");
      const parts = split(text, separator, typeof count === "number" ? count : -1);
      return super.evaluate(list(parts), scope);
    }
    const [characters] = this.#texts(argumentsOf(node), scope);
    switch (method) {
      case "strip":
        return this.#text(strip(text, characters), scope);
      case "lstrip":
        return this.#text(lstrip(text, characters), scope);
      case "rstrip":
        return this.#text(rstrip(text, characters), scope);
      default:
        return method satisfies never;
    }
  }

  /** Arguments that are texts, or none for nothing. */
  #texts(nodes: readonly unknown[], scope: Environment): (string | undefined)[] {
    return nodes.map((node) => {
      const value: unknown = this.evaluate(asNode(node), scope).value ?? undefined;
      if (value !== undefined && typeof value !== "string") throw new Error("a text was expected");
      return value;
    });
  }

  #text(value: string, scope: Environment): Value {
    return super.evaluate(literal("StringLiteral", value), scope);
  }

  #number(value: number, scope: Environment): Value {
    return super.evaluate(literal("IntegerLiteral", value), scope);
  }
}

function literal(type: string, value: unknown): Node {
  const node = { type, value };
  return node;
}

function list(texts: readonly string[]): Node {
  return literal(
    "ArrayLiteral",
    texts.map((text) => literal("StringLiteral", text)),
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new Error("the template's syntax tree is not understood");
  return value;
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === "Identifier" && "value" in node && typeof node.value === "string"
    ? node.value
    : undefined;
}

/** `trim` and `trim("x")` alike. */
function nameOfFilter(filter: unknown): string | undefined {
  return isNode(filter) && "callee" in filter ? nameOf(filter.callee) : nameOf(filter);
}

function argumentsOf(node: unknown): readonly unknown[] {
  return isNode(node) && "args" in node && Array.isArray(node.args) ? node.args : [];
}
