/** Tags that models put around their answer or their code. */
import { LANGUAGES } from "../languages/languages.ts";
import { cutFront, isBlank, type Line, withText } from "./lines.ts";

/** Tags around the answer as a whole, inside of which Markdown goes on. */
const ANSWER = /^(?:answer|final_answer|solution|response|output|result|final)$/i;
/** Tags around code itself: these, and the names of languages. */
const CODE = new RegExp(`^(?:code|pre|code_block|codeblock|program|source|${LANGUAGES.join("|")})$`, "i");

/** The inside of the last answer tag, or all lines when there is none. */
export function answerIn(lines: readonly Line[]): readonly Line[] {
  return insideOf(lines, ANSWER).at(-1)?.lines ?? lines;
}

/** The insides of code tags: `<code>`, `<pre><code class="language-python">`, `<python>`, `[code]`. */
export function codeTagsIn(lines: readonly Line[]): Inside[] {
  return insideOf(lines, CODE).map((outer) => {
    const nested = insideOf(outer.lines, CODE).at(0);
    return nested === undefined ? outer : { ...nested, tag: nested.tag || outer.tag, opening: outer.opening };
  });
}

/** The last code tag inside a line of prose: "The program is <code>…</code>." */
export function inlineTagIn(lines: readonly Line[]): readonly Line[] | undefined {
  for (const line of lines.toReversed()) {
    const open = line.text.search(/<code>/i);
    const rest = open < 0 ? "" : line.text.slice(open + "<code>".length);
    const close = rest.search(/<\/code>/i);
    if (close < 0) continue;
    const inner = rest.slice(0, close);
    return [withText(cutFront(line, open + "<code>".length), inner)];
  }
  return undefined;
}

/** The lines between an opening and a closing tag. */
export interface Inside {
  /** The line of the opening tag. */
  readonly opening: Line;
  /** A language that the tag names. */
  readonly tag: string;
  readonly lines: readonly Line[];
}

/** The insides of tags that start and end lines: a tag in the middle of a sentence is none. */
function insideOf(lines: readonly Line[], names: RegExp): Inside[] {
  const found: Inside[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index];
    const open = line && openingTag(line, names);
    if (line === undefined || open === undefined) continue;
    const close = new RegExp(`[<[]/${open.name}\\s*[>\\]]`, "i");
    const inner: Line[] = [];
    let rest = cutFront(line, open.length);
    let at = index;
    for (;;) {
      const end = close.exec(rest.text);
      const text = end === null ? rest.text : rest.text.slice(0, end.index);
      if (inner.length > 0 || text.trim() !== "") inner.push(withText(rest, text));
      if (end !== null) break;
      at += 1;
      const next = lines[at];
      if (next === undefined) break;
      rest = next;
    }
    while (inner.length > 0 && isBlankAt(inner, inner.length - 1)) inner.pop();
    if (inner.length > 0) found.push({ opening: line, tag: open.language, lines: inner });
    index = at;
  }
  return found;
}

function isBlankAt(lines: readonly Line[], index: number): boolean {
  const line = lines[index];
  return line !== undefined && isBlank(line);
}

function openingTag(
  line: Line,
  names: RegExp,
): { readonly name: string; readonly language: string; readonly length: number } | undefined {
  const match = /^ {0,3}[<[](\w+)((?:\s+[\w-]+=(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*[>\]]/.exec(line.text);
  const [whole = "", name = "", attributes = ""] = match ?? [];
  if (match === null || !names.test(name)) return undefined;
  const language =
    /(?:class|lang|language)=["']?(?:language-|lang-|brush:\s*)?([\w+#-]+)/i.exec(attributes)?.[1] ?? "";
  const self = /^(?:code|pre|program|source|code_block|codeblock)$/i.test(name) ? "" : name;
  return { name, language: language || self, length: whole.length };
}
