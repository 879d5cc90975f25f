/**
 * Which nodes are units, hold them, or wrap them: those of all languages together. A name means the same in every grammar
 * that has it, so that one rule serves all.
 */
import type { NodeNames, Nodes } from "../languages/language.ts";
import { LANGUAGES, SYNTAX } from "../languages/languages.ts";

const words = (names: NodeNames): string[] => names.split(/\s+/).filter((name) => name !== "");

function all(pick: (nodes: Nodes) => NodeNames | undefined): ReadonlySet<string> {
  return new Set(LANGUAGES.flatMap((language) => words(pick(SYNTAX[language].nodes) ?? "")));
}

/** Declarations with code of their own. */
export const FUNCTIONS = all((nodes) => nodes.functions);

/** Declarations of types. */
export const TYPES = all((nodes) => nodes.types);

/** Types that are mostly data. */
export const DATA = all((nodes) => nodes.data);

/** What else holds units; what does not parse may. */
export const HOLDERS: ReadonlySet<string> = new Set(["ERROR", ...all((nodes) => nodes.holders)]);

/** Bodies that hold units only under the parents named. */
export const BODIES_UNDER: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  LANGUAGES.flatMap((language) => SYNTAX[language].nodes.bodiesUnder ?? []).map(
    ([body, parents]): [string, ReadonlySet<string>] => [body, new Set(words(parents))],
  ),
);

/** These are what they wrap. */
export const WRAPPERS = all((nodes) => nodes.wrappers);

/** Functions without a declaration. */
export const FUNCTION_VALUES = all((nodes) => nodes.functionValues);

/** On the way from a statement to a method of an object in it. */
export const OBJECT_PATH = all((nodes) => nodes.objectPath);

/** Calls whose callback holds units: test suites and the like. */
export const GROUPING = /^(?:[\w.]+\.)?(?:[fx]?describe|context|suite|namespace|shared_examples(?:_for)?)$/;
export const CALLS = all((nodes) => nodes.calls);
export const CALL_PATH = all((nodes) => nodes.callPath);

/** Nodes at the top of a file that bring names in. */
export const IMPORTS = all((nodes) => nodes.imports);

/** Bodies of declarations, for grammars that have no field for them. */
export const BODIES = all((nodes) => nodes.bodies);

const COMMENTS = all((nodes) => nodes.comments);

/** The node is a comment, in whichever grammar. */
export function isComment(node: { readonly type: string }): boolean {
  return COMMENTS.has(node.type);
}
