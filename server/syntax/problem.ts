// The problem that a reward model is asked about a cursor: what is wanted (documentation or instruction), the
// signature, and what the unit may use. It depends on the document alone, so that all completions of one
// request answer the same problem.
import { documentOf } from "./assemble.ts";
import { LANGUAGE_NAMES, type Language } from "./languages.ts";
import type { SyntaxNode, SyntaxRuntime } from "./parser.ts";
import { isComment, type Place, placeAt, type Unit, unitOf, unitsIn, withWrapper } from "./unit.ts";

/** A cursor to describe. */
export interface ProblemRequest {
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  /** Where the file stands, for its name. */
  readonly path?: string | undefined;
  /** What the user asked for in words, instead of the documentation that stands there. */
  readonly instruction?: string | undefined;
}

/**
 * Bounds of the parts in UTF-16 units, together some 2,000 tokens: half of the input that the models were
 * trained with, so that the other half is left for the program.
 */
const MAX_WORDS = 3000;
const MAX_SIGNATURE = 1500;
const MAX_IMPORTS = 1000;
const MAX_USES = 2000;

const MAX_PRECEDING = 1500;

/** Longest signature or field of something the unit may use; longer ones are cut. */
const MAX_LINE = 200;

/** Nodes at the top of a file that bring names in. */
const IMPORTS =
  /^(?:import|use_decl|using_dir|preproc_include|namespace_use|package|future_import|source_dir)/;

/** Types without code up to this length are given whole: their fields are what one uses. */
const MAX_DATA = 400;

const FIELDS = /field|property|enum_const|attribute|assign|declaration$/;
const FIELD = /^[ \t]*((?:(?:self|this)\.|@)(\w+)[ \t]*(?::[^=\n]{1,80})?=(?![=~]).*)$/gm;

/** Writes the problem for a cursor, loading the language's grammar if need be. At most about 8,000 characters. */
export async function problemAt(request: ProblemRequest, runtime: SyntaxRuntime): Promise<string> {
  await runtime.load(request.language);
  const { language } = request;
  const document = documentOf(request, runtime);
  const { text, start, end } = document.filled;
  const tree = document.parse(text);
  if (tree === null) return problemText(request, { kind: "code", words: "" });
  try {
    const place = placeAt(tree.rootNode, start, end);
    // The stand-in at the cursor is no unit of its own.
    const own = place.node !== undefined && place.node.startIndex < start ? place.node : undefined;
    const unit = own === undefined ? undefined : unitOf(own, place.kind ?? "statement");
    const owner = place.types.at(-1);
    const at = unit?.start ?? start;
    const signature = [
      ...place.types.map((type) => headOf(text, unitOf(withWrapper(type), "type"))),
      ...(unit === undefined || unit.kind === "statement" ? [] : [headOf(text, unit)]),
    ].map((head, depth) => head.replace(/^(?=.)/gm, "    ".repeat(depth)));
    const documented = unit === undefined || unit.kind !== "statement" ? commentAbove(text, at) : "";
    const words = documented || (unit === undefined ? "" : docstringOf(text, unit, language));
    return problemText(request, {
      kind: kindOf(unit, owner),
      name: unit?.kind === "statement" ? undefined : unit?.name,
      owner: owner === undefined ? undefined : unitOf(owner, "type").name,
      words,
      preceding: signature.length > 0 || words !== "" ? "" : tailOf(text.slice(0, start)),
      signature: clipped(signature.join("\n"), MAX_SIGNATURE),
      imports: importsOf(tree.rootNode, text.slice(at, unit?.end ?? end)),
      uses: usesOf(tree.rootNode, text, place, unit, start),
    });
  } finally {
    tree.delete();
  }
}

interface Parts {
  readonly kind: string;
  readonly words: string;
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
  readonly signature?: string;
  readonly imports?: string;
  readonly uses?: string;
  /** For a place that nothing else describes. */
  readonly preceding?: string;
}

function problemText(request: ProblemRequest, parts: Parts): string {
  const { language, path, instruction } = request;
  const file = path === undefined ? undefined : /[^\\/]*$/.exec(path)?.[0];
  const subject = [
    parts.name === undefined
      ? `the ${LANGUAGE_NAMES[language]} code`
      : `the ${LANGUAGE_NAMES[language]} ${parts.kind} \`${parts.name}\``,
    ...(parts.owner === undefined || parts.owner === parts.name ? [] : [`of \`${parts.owner}\``]),
    ...(file ? [`in ${file}`] : []),
  ].join(" ");
  const fence = (title: string, code: string | undefined) =>
    code === undefined || code === "" ? [] : [`${title}\n\`\`\`${language}\n${code}\n\`\`\``];
  const words = [instruction?.trim() ?? "", parts.words].filter((part) => part !== "");
  return [
    `Write ${subject}.`,
    ...words.map((part) => clipped(part, MAX_WORDS / words.length)),
    ...fence("Signature:", parts.signature),
    ...fence("It follows on:", parts.preceding),
    ...fence("It may use:", [parts.imports, parts.uses].filter((part) => part).join("\n")),
  ].join("\n\n");
}

function kindOf(unit: Unit | undefined, owner: SyntaxNode | undefined): string {
  if (unit?.kind === "type") return "type";
  return owner === undefined ? "function" : "method";
}

/** Everything before a unit's body, without the bracket. */
function headOf(text: string, unit: Unit): string {
  const end = unit.bodyStart ?? lineEnd(text, unit.start);
  return dedented(
    text.slice(lineStart(text, unit.start), Math.min(end, unit.end)).replace(/(?:\s|\{|[=-]>|=|:)+$/, ""),
  );
}

/** The comment lines directly above an offset, without their marks; attributes between are passed over. */
function commentAbove(text: string, offset: number): string {
  const lines = text.slice(0, lineStart(text, offset)).split("\n");
  lines.pop();
  const comment: string[] = [];
  let block = false;
  for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
    const trimmed = line.trim();
    if (trimmed.endsWith("*/")) block = true;
    if (!block && /^(?:@\w|#!?\[|\[\w)/.test(trimmed) && comment.length === 0) continue;
    if (!block && !/^(?:\/\/|#(?!!|include|define|if|endif|pragma|undef)|--)/.test(trimmed)) break;
    comment.unshift(bare(trimmed));
    if (trimmed.startsWith("/*")) block = false;
  }
  return comment.join("\n").trim();
}

/** A comment line without its marks and tags. */
function bare(line: string): string {
  return line
    .replace(/^(?:\/\*+!?|\*+\/|\*+(?!\/)|\/\/[/!]?|#+|--)\s?/, "")
    .replace(/\s*\*+\/$/, "")
    .replace(/<\/?(?:summary|remarks|para|returns|param|value|c|see|code)\b[^>]*>/g, "")
    .trimEnd();
}

/** Python's documentation string. */
function docstringOf(text: string, unit: Unit, language: Language): string {
  if (language !== "python" || unit.bodyStart === undefined || unit.contentStart === undefined) return "";
  const quoted = text.slice(unit.bodyStart, unit.contentStart).trim();
  return dedented(quoted.replace(/^[rRuUbBfF]*("""|'''|"|')/, "").replace(/("""|'''|"|')$/, "")).trim();
}

/** Lines that bring names in, those of which the unit uses something first. */
function importsOf(root: SyntaxNode, used: string): string {
  const names = namesIn(used);
  const lines = root.namedChildren
    .filter(
      (node) =>
        IMPORTS.test(node.type) ||
        (node.text.length <= MAX_LINE && /\brequire(?:_relative)?\b/.test(node.text)),
    )
    .map((node, index) => ({ text: node.text.trim(), index, used: mentions(node.text, names) }));
  return fitting(lines, MAX_IMPORTS);
}

/** Signatures of the document's other units and the fields of the unit's type: siblings and what it names first. */
function usesOf(root: SyntaxNode, text: string, place: Place, unit: Unit | undefined, start: number): string {
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

/** The last lines of a text. */
function tailOf(text: string): string {
  const solid = text.trimEnd();
  if (solid.length <= MAX_PRECEDING) return solid.trimStart();
  return solid.slice(solid.indexOf("\n", solid.length - MAX_PRECEDING) + 1 || solid.length - MAX_PRECEDING);
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

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}

function dedented(text: string): string {
  const lines = text.split("\n");
  const margins = lines
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const first = lines[0] ?? "";
  const own = first.length - first.trimStart().length;
  const margin = Math.min(
    ...margins,
    margins.length === 0 ? own : Number.POSITIVE_INFINITY,
    own > 0 ? own : Number.POSITIVE_INFINITY,
  );
  return lines
    .map((line, index) =>
      index === 0 ? line.trimStart() : line.slice(Math.min(margin, line.length - line.trimStart().length)),
    )
    .join("\n");
}

function lineStart(text: string, offset: number): number {
  const start = text.slice(0, offset).lastIndexOf("\n") + 1;
  return text.slice(start, offset).trim() === "" ? start : offset;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end;
}
