// The normal form of a program: equal for programs that differ only in comments, layout, quotes or trailing
// commas. Names and everything else count. It is the syntax tree written out, not a program again.
import type { Language } from "./languages.ts";
import type { SyntaxCursor, SyntaxRuntime } from "./parser.ts";

/** Starts every form, and stands between its parts. No program that parses has it outside of a string. */
const MARK = "\u0001";

/** The kinds of form: by the tree, or the text itself where there is no tree. */
const BY_TREE = `${MARK}tree${MARK}`;
const BY_TEXT = `${MARK}text${MARK}`;

/** The normal form, to be compared with others of the same language. A form is its own normal form. */
export async function normalForm(code: string, language: Language, runtime: SyntaxRuntime): Promise<string> {
  if (code.startsWith(BY_TREE) || code.startsWith(BY_TEXT)) return code;
  await runtime.load(language);
  const tree = runtime.parse(language, `${code}\n`);
  if (tree === null) return BY_TEXT + code;
  const cursor = tree.walk();
  const form = BY_TREE + formOf(cursor, code, language);
  cursor.delete();
  tree.delete();
  return form;
}

/** Tokens that separate what the tree separates anyway. */
const SEPARATORS: Readonly<Partial<Record<Language, ReadonlySet<string>>>> = {
  python: new Set([";"]),
  javascript: new Set([";"]),
  typescript: new Set([";"]),
  tsx: new Set([";"]),
  go: new Set([";", "\n"]),
  ruby: new Set([";", "\n"]),
  bash: new Set([";", "\n"]),
  kotlin: new Set([";"]),
};

/** Where such a token does separate: the parts of a loop's head may be empty. */
const LOOP_HEADS = new Set(["for_statement", "for_clause", "c_style_for_statement"]);

/** Where the members' separators may be either of two. */
const MEMBER_LISTS = new Set(["object_type", "interface_body"]);

/** Languages in which strings in either quotes are the same, as long as neither quote changes their meaning. */
const QUOTES: ReadonlySet<Language> = new Set([
  "python",
  "javascript",
  "typescript",
  "tsx",
  "ruby",
  "php",
  "bash",
]);

const STRING = /^(?:string|string_literal|raw_string|encapsed_string)$/;
const COMMENT = /comment$|^line_continuation$|^html_comment$/;
const CLOSING = new Set([")", "]", "}"]);

function formOf(cursor: SyntaxCursor, code: string, language: Language): string {
  const parts: string[] = [];
  const separators = SEPARATORS[language];
  const quotes = QUOTES.has(language);
  const parents: string[] = [];
  for (;;) {
    const type = cursor.nodeType;
    let inside = false;
    if (!COMMENT.test(type)) {
      if (quotes && STRING.test(type)) {
        parts.push(unquoted(code.slice(cursor.startIndex, cursor.endIndex), language));
      } else if (cursor.gotoFirstChild()) {
        // A node's extent shows in its brackets, and its kind in its name.
        parts.push(type, "(");
        parents.push(type);
        inside = true;
      } else if (!isSeparator(type, parents.at(-1), separators)) {
        const text =
          type === "jsx_text"
            ? squeezed(code.slice(cursor.startIndex, cursor.endIndex))
            : tokenOf(cursor, code, type);
        if (CLOSING.has(text) && parts.at(-1) === "," && parents.at(-1) !== "subscript") dropComma(parts);
        if (text !== "") parts.push(text);
      }
    }
    if (inside || cursor.gotoNextSibling()) continue;
    do {
      if (!cursor.gotoParent()) return parts.join(MARK);
      parents.pop();
      parts.push(")");
    } while (!cursor.gotoNextSibling());
  }
}

function isSeparator(
  type: string,
  parent: string | undefined,
  separators: ReadonlySet<string> | undefined,
): boolean {
  if (separators?.has(type) === true) return parent === undefined || !LOOP_HEADS.has(parent);
  return type === "," && parent !== undefined && MEMBER_LISTS.has(parent);
}

/** The token's text; that of a line of the preprocessor reaches to the line's end. */
function tokenOf(cursor: SyntaxCursor, code: string, type: string): string {
  // Anonymous tokens are their own type: no need to read the text.
  if (!cursor.nodeIsNamed && type !== "") return type.trim();
  const text = code.slice(cursor.startIndex, cursor.endIndex);
  return type === "preproc_arg" ? text.trim() : text;
}

/** A trailing comma; in `[,]` and `[1,,]` the comma stands for a hole. */
function dropComma(parts: string[]): void {
  const before = parts.at(-2);
  if (before !== "," && before !== "[" && before !== "(") parts.pop();
}

/** White space between tags counts as one space, and not at all around line ends. */
function squeezed(text: string): string {
  return text
    .replace(/\s*\n\s*/g, "\n")
    .replace(/^\n|\n$/g, "")
    .replace(/\s+/g, " ");
}

/** A string with double quotes where single ones mean the same. */
function unquoted(text: string, language: Language): string {
  const match = /^([A-Za-z]*)('''|"""|'|")([\s\S]*)\2$/.exec(text);
  if (match === null) return text;
  const [, prefix = "", quote = "", content = ""] = match;
  // These differ between the quotes in what they interpolate or escape.
  if (quote.startsWith("'") && language !== "python" && /[\\$`#]/.test(content)) {
    if (language === "ruby" || language === "php" || language === "bash") return text;
  }
  if (/^r/i.test(prefix) && content.includes("\\")) return text;
  const plain = content.replace(/\\(['"])/g, "$1");
  return `${prefix.toLowerCase()}"${plain}"`;
}
