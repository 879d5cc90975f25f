// Collects what the extension says into l10n/bundle.l10n.json, the file that translations start from:
// `node scripts/l10n.mjs`; `--check` changes nothing and fails when the file is not what it would be.
// Sentences are whole templates: an argument of l10n.t that is put together, or a text of the interface that does not
// pass through l10n.t, is an error.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Language, Parser } from "web-tree-sitter";
import { root } from "./setup.mjs";

const bundle = join(root, "l10n", "bundle.l10n.json");

/** Tables of templates that are translated where they are shown (src/editor/sentences.ts), by the names of their variables. */
const TABLES = new Set(["FAILURES", "WORDS", "HINTS", "REWARD_SENTENCES"]);
/** The file that translates those tables: the only one that may translate a value. */
const TRANSLATOR = join("src", "editor", "sentences.ts");

/** Their texts go to package.nls.json (scripts/manifest.mjs), which is translated by itself. */
const DECLARATIONS = /(?:command|setting)-declarations\.ts$/;

/** Members of the editor's dialogs and items that people read. */
const READ_BY_PEOPLE = new Set(["title", "prompt", "placeHolder", "placeholder", "detail", "description"]);
const MESSAGES = /\b(?:show(?:Information|Warning|Error)Message|setStatusBarMessage)$/;
/** Names, which are the same in every language. */
const NAMES = new Set(["CodeScaler", "Hugging Face Hub"]);

await Parser.init();
const parser = new Parser();
const grammar = join(root, "node_modules/tree-sitter-typescript/tree-sitter-typescript.wasm");
parser.setLanguage(await Language.load(grammar));

const problems = [];
const messages = new Set();
const src = join(root, "src");
for (const name of readdirSync(src, { recursive: true }).filter((file) => file.endsWith(".ts"))) {
  const path = join(src, name);
  const tree = parser.parse(readFileSync(path, "utf8"));
  visit(tree.rootNode, relative(root, path));
  tree.delete();
}
const wanted = `${JSON.stringify(Object.fromEntries([...messages].sort().map((text) => [text, text])), null, 2)}\n`;
const present = existsSync(bundle) ? readFileSync(bundle, "utf8") : "{}";
if (process.argv.includes("--check")) {
  if (present !== wanted) {
    const known = new Set(Object.keys(JSON.parse(present)));
    for (const text of messages) if (!known.has(text)) problems.push(`missing in the bundle: ${text}`);
    for (const text of known) if (!messages.has(text)) problems.push(`said nowhere any more: ${text}`);
    problems.push("Run “node scripts/l10n.mjs”.");
  }
} else {
  mkdirSync(dirname(bundle), { recursive: true });
  writeFileSync(bundle, wanted);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);

function visit(node, file) {
  const where = `${file}:${node.startPosition.row + 1}`;
  if (node.type === "call_expression") {
    const called = node.childForFieldName("function").text;
    const [first] = node.childForFieldName("arguments").namedChildren;
    if (/(?:^|\.)l10n\.t$/.test(called)) {
      if (first?.type === "string") messages.add(literal(first));
      else if (file !== TRANSLATOR) problems.push(`${where}: the template has to be one whole string.`);
    } else if (MESSAGES.test(called) && isLiteral(first)) problems.push(`${where}: not through l10n.t.`);
  }
  if (
    node.type === "pair" &&
    !DECLARATIONS.test(file) &&
    READ_BY_PEOPLE.has(node.childForFieldName("key").text)
  ) {
    const value = node.childForFieldName("value");
    if (isLiteral(value)) problems.push(`${where}: not through l10n.t.`);
  }
  if (node.type === "variable_declarator" && TABLES.has(node.childForFieldName("name").text)) {
    for (const text of node.descendantsOfType("string")) {
      if (text.parent.type === "pair" && text.parent.childForFieldName("value").equals(text)) {
        messages.add(literal(text));
      }
    }
  }
  for (const child of node.namedChildren) visit(child, file);
}

/** A string with words of its own, rather than a value, an icon or a name. */
function isLiteral(node) {
  if (node?.type !== "string" && node?.type !== "template_string") return false;
  const own = node.text.replace(/\$\{[^}]*\}|\$\([\w-]+\)/g, "");
  return /\p{L}{2,}/u.test(own) && !NAMES.has(own.slice(1, -1));
}

/** The value of a string literal as written in TypeScript. */
function literal(node) {
  const inner = node.text.slice(1, -1);
  return JSON.parse(
    `"${node.text.startsWith("'") ? inner.replaceAll('"', '\\"').replaceAll("\\'", "'") : inner}"`,
  );
}
