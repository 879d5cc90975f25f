/**
 * What the unit at a cursor may use: imports, the signatures of its siblings, the fields of its type. What it names
 * already comes first where not all fits.
 */
import type { SyntaxNode } from "../parsing/parser.ts";
import { clipped, dedented, headOf, MAX_LINE } from "./problem-text.ts";
import { type Place, type Unit, unitsIn } from "./unit.ts";
import { IMPORTS, isComment } from "./unit-nodes.ts";

/** Bounds in UTF-16 units; problem.ts has the other parts of the sum. */
const MAX_IMPORTS = 1000;
const MAX_USES = 2000;

/** Types without code up to this length are given whole: their fields are what one uses. */
const MAX_DATA = 400;

const FIELDS = /field|property|enum_const|attribute|assign|declaration$/;
const FIELD = /^[ \t]*((?:(?:self|this)\.|@)(\w+)[ \t]*(?::[^=\r\n\u2028\u2029]+)?=(?![=~]).*)$/gm;

/** Lines that bring names in, those of which the unit uses something first. */
export function importsOf(root: SyntaxNode, used: string): string {
  const names = namesIn(used);
  const lines = root.namedChildren
    .filter(
      (node) =>
        IMPORTS.has(node.type) ||
        (node.text.length <= MAX_LINE && /\brequire(?:_relative)?\b/.test(node.text)),
    )
    .map((node, index) => ({ text: node.text.trim(), index, used: mentions(node.text, names) }));
  return fitting(lines, MAX_IMPORTS);
}

/** Signatures of the document's other units and the fields of the unit's type: siblings and what it names first. */
export function usesOf(
  root: SyntaxNode,
  text: string,
  place: Place,
  unit: Unit | undefined,
  start: number,
): string {
  const names = namesIn(unit === undefined ? "" : text.slice(unit.start, unit.end));
  const at = unit?.start ?? start;
  const owner = place.types.at(-1);
  const inOwner = (one: Unit) =>
    owner !== undefined && one.start >= owner.startIndex && one.end <= owner.endIndex;
  const all = unitsIn(root);
  const units = all
    // Neither the unit, nor what it is in, nor what is in it.
    .filter((one) => (one.start > at || one.end <= at) && !(unit !== undefined && within(one, unit)))
    .map((one) => {
      const short =
        one.end - one.start <= MAX_DATA && !all.some((other) => other !== one && within(other, one));
      const whole = one.kind === "type" && short;
      return {
        start: one.start,
        text: whole ? dedented(text.slice(one.start, one.end)) : lineOf(headOf(text, one)),
        used: inOwner(one) || names.has(one.name ?? ""),
      };
    });
  const fields = (owner === undefined ? [] : place.container.namedChildren)
    .filter((node) => !isComment(node) && FIELDS.test(node.type) && node.startIndex !== unit?.start)
    .filter((node) => !units.some((one) => one.start === node.startIndex))
    .map((node) => ({ start: node.startIndex, text: lineOf(node.text), used: true }));
  const lines = [...units, ...fields, ...assignedFields(text, owner, unit)]
    .sort((a, b) => a.start - b.start)
    .map((one, index) => ({ ...one, index }));
  return fitting(
    lines.filter((one) => one.text !== ""),
    MAX_USES,
  );
}

function within(inner: Unit, outer: Unit): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

/** Fields that a type has by assignment: `self.x = …`, `this.x = …`, `@x = …`; each name once. */
function assignedFields(
  text: string,
  owner: SyntaxNode | undefined,
  unit: Unit | undefined,
): { start: number; text: string; used: boolean }[] {
  if (owner === undefined) return [];
  const fields = new Map<string, { start: number; text: string; used: boolean }>();
  for (const match of text.slice(owner.startIndex, owner.endIndex).matchAll(FIELD)) {
    const [, line = "", name = ""] = match;
    const start = owner.startIndex + match.index;
    const own = unit !== undefined && start >= unit.start && start < unit.end;
    if (!own && !fields.has(name)) fields.set(name, { start, text: lineOf(line), used: true });
  }
  return [...fields.values()];
}

/** The lines in their order as far as they fit; those in use are taken before the others. */
function fitting(
  lines: readonly { readonly text: string; readonly index: number; readonly used: boolean }[],
  length: number,
): string {
  let left = length;
  const taken = [...lines]
    .sort((a, b) => Number(b.used) - Number(a.used) || a.index - b.index)
    .filter((line) => {
      const fits = line.text.length < left;
      if (fits) left -= line.text.length + 1;
      return fits;
    });
  return taken
    .sort((a, b) => a.index - b.index)
    .map((line) => line.text)
    .join("\n");
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.match(/[\p{L}_]\w*/gu) ?? []);
}

function mentions(text: string, names: ReadonlySet<string>): boolean {
  return (text.match(/[\p{L}_]\w*/gu) ?? []).some(
    (name) => names.has(name) && !/^(?:import|from|use|using|const|require|as)$/.test(name),
  );
}

function lineOf(text: string): string {
  return clipped(text.replace(/\s+/g, " ").trim(), MAX_LINE);
}
