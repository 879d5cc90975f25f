/**
 * The problem that a reward model is asked about a cursor: what is wanted (documentation or instruction), the
 * signature, and what the unit may use. It depends on the document alone, so that all completions of one request
 * answer the same problem.
 */
import { withoutEnd } from "../../text-end.ts";
import { documentOf } from "../cursor/assemble.ts";
import { identityOf, type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxNode, SyntaxRuntime } from "../parsing/parser.ts";
import { clipped, dedented, headOf, lineStart } from "./problem-text.ts";
import { importsOf, usesOf } from "./problem-uses.ts";
import { placeAt, type Unit, unitOf, withWrapper } from "./unit.ts";

/** A cursor to describe. */
export interface ProblemRequest {
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  /** The file, for its name. */
  readonly path?: string | undefined;
  /** What the user asked for in words, besides the documentation that is there. */
  readonly instruction?: string | undefined;
}

/**
 * Bounds of the parts in UTF-16 units, with those of problem-uses.ts some 2,000 tokens: half of the input that the models were
 * trained with, so that the other half is left for the program.
 */
const MAX_WORDS = 3000;
const MAX_SIGNATURE = 1500;
const MAX_PRECEDING = 1500;

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
  const file = path?.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const subject = [
    parts.name === undefined
      ? `the ${identityOf(language).name} code`
      : `the ${identityOf(language).name} ${parts.kind} \`${parts.name}\``,
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
  const inner = line.endsWith("*/") ? withoutEnd(line.slice(0, -1), "*").trimEnd() : line;
  return inner
    .replace(/^(?:\/\*+!?|\*+\/|\*+(?!\/)|\/\/[/!]?|#+|--)\s?/, "")
    .replace(/<\/?(?:summary|remarks|para|returns|param|value|c|see|code)\b[^<>]*>/g, "")
    .trimEnd();
}

/** The string at the start of the body, where that is documentation. */
function docstringOf(text: string, unit: Unit, language: Language): string {
  if (
    !SYNTAX[language].programs.docstrings ||
    unit.bodyStart === undefined ||
    unit.contentStart === undefined
  )
    return "";
  const quoted = text.slice(unit.bodyStart, unit.contentStart).trim();
  return dedented(quoted.replace(/^[rRuUbBfF]*("""|'''|"|')/, "").replace(/("""|'''|"|')$/, "")).trim();
}

/** The last lines of a text. */
function tailOf(text: string): string {
  const solid = text.trimEnd();
  if (solid.length <= MAX_PRECEDING) return solid.trimStart();
  return solid.slice(solid.indexOf("\n", solid.length - MAX_PRECEDING) + 1 || solid.length - MAX_PRECEDING);
}
