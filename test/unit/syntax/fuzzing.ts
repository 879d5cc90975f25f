/** Replies that nobody would write by hand: mutations of the corpus, and inputs made to break a parser. */
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";
import { randomFrom } from "./random.ts";
import { replyCases } from "./reply-corpus.ts";

export interface FuzzInput {
  readonly title: string;
  readonly reply: string;
  readonly language: Language | undefined;
  readonly mode: "lenient" | "strict";
}

interface Result {
  readonly language: string;
  readonly mode: string;
  readonly code: string;
  readonly valid: boolean;
  readonly origin: string;
  readonly blocks: number;
  readonly reason: string | null;
  readonly diagnostics: readonly {
    readonly line: number;
    readonly column: number;
    readonly message: string;
  }[];
}

const INSERTIONS = [
  "```",
  "````",
  "~~~",
  "```python\n",
  "\n```\n",
  "\n~~~\n",
  "`",
  "\n    ",
  "\n\t",
  "\r",
  "\r\n",
  "\n\n",
  "> ",
  "\n> ",
  "- ",
  "\n1. ",
  "<think>",
  "</think>",
  "<answer>",
  "</answer>",
  "<code>",
  "</code>",
  "<pre>",
  "&lt;",
  "&amp;",
  "&#x0;",
  "&#99999999;",
  ">>> ",
  "... ",
  "In [1]: ",
  "+",
  "-",
  "@@ -1 +1 @@\n",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  '"',
  "'",
  '"""',
  "/*",
  "*/",
  "//",
  "#",
  "<?php",
  "?>",
  "<<EOF\n",
  "\\",
  "\0",
  "\uFEFF",
  "\u2028",
  "\uD800",
  "\uDC00",
  "\u{1F600}",
  "\u200B",
  " ",
  ";",
  ":",
  "def f():\n",
  "return",
  "end\n",
  "$(",
  "${",
  "<",
  ">",
  "=",
]; // prettier-ignore

/** `count` mutated replies; the same for the same seed. */
export function* mutatedReplies(seed: number, count: number): Generator<FuzzInput> {
  const bases = replyCases();
  const { next, below, pick } = randomFrom(seed);
  const mutate = (text: string): string => {
    const at = below(text.length + 1);
    const to = Math.min(text.length, at + below(40));
    switch (below(8)) {
      case 0:
        return text.slice(0, at) + text.slice(to);
      case 1:
        return text.slice(0, at);
      case 2:
        return text.slice(0, to) + text.slice(at);
      case 3: {
        const other = pick(bases).reply;
        return text.slice(0, at) + other.slice(below(other.length + 1));
      }
      case 4: {
        const lines = text.split("\n");
        const line = lines.splice(below(lines.length), 1);
        lines.splice(below(lines.length + 1), 0, ...line);
        return lines.join("\n");
      }
      case 5:
        return text.slice(0, at) + pick(INSERTIONS).repeat(1 + below(5)) + text.slice(at);
      default:
        return text.slice(0, at) + pick(INSERTIONS) + text.slice(at);
    }
  };
  for (let index = 0; index < count; index++) {
    const base = pick(bases);
    let reply = base.reply;
    for (let left = 1 + below(6); left > 0; left--) reply = mutate(reply);
    const language = next() < 0.6 ? base.reported : next() < 0.5 ? pick(LANGUAGES) : undefined;
    const mode = next() < 0.2 ? "strict" : "lenient";
    yield { title: `seed ${seed}, reply ${index}, from ${base.title}`, reply, language, mode };
  }
}

const MEGABYTE = 1 << 20;
const DEEP = 100_000;

/** What each grammar finds hardest: constructs that nest, fork or keep state without end. */
const BLOW_UPS: Record<Language, readonly string[]> = {
  python: ["lambda: ", 'f"{', "[x for x in ", "not ", "if x:\n ", "{**", "a if b else ", "@a\n"],
  javascript: ["`${", "a => ", "(a, b) => (", "[{", "async (", "/a/ / ", "<a>{", "a ? b : ", "!"],
  typescript: ["a < b < ", "<T>(", "(a: ", "type A = [", "a as ", "{ [k in ", "infer T extends ", "x?."],
  tsx: ["<a><b>{", "<T,>(", "<a b={", "`${", "a < b > (", "(a?: ", "</a>"],
  java: ["a<b<", "(A) ", "new A() {", "a -> ", "a[b[", "case A -> ", "@A(", "int f() {"],
  c: ["(*", "a * b * ", "#if 1\n", "sizeof(", "int (*f(", "{ .a = ", "(a)(b)", "#define A \\\n"],
  cpp: ["a<b<", "template <", "[&](", "A<B>(C<", "operator(", "decltype(", "(a)(b)", 'R"x('],
  csharp: ['$"{', "(a) => ", "a<b<", "(a, b", "from x in y ", "a switch { ", "[A(", "a?.b[", '$$"""{{'],
  go: ["func() {", "[]struct{", "map[a]", "a{b: ", "<-", "(*", "if a := b{", "chan "],
  rust: ["|a| ", "a::<", "&'a ", "macro_rules! a { (", "#[a(", "match a { _ => ", 'r#"', "/*", "dyn A + "],
  ruby: ["%w(", "#{", '"#{', "<<~A\n", "->(", "a do |b|\n", "p ", "%q(", "if a\n", "a ? b : "],
  php: ["<?php ", "[", "fn($a) => ", "new class { ", '"{$', "<<<A\n", "match(a) { ", "$$", "?> <?= "],
  bash: ["$(", "`", "${a:-", "$((", "<<A\n", "a | ", "if a; then ", "case a in b) ", "{ ", "[[ ("],
  kotlin: ["a<b<", "{ a -> ", '"${', "if (a) ", "when { a -> ", "(a as ", "fun A<B>.", "@A ", "a?.b { "],
};

/** Hostile replies: sizes and shapes that no model writes, but that anyone may send. */
export function hostileReplies(): FuzzInput[] {
  const inputs: FuzzInput[] = [];
  const add = (title: string, reply: string, language?: Language) => {
    for (const mode of ["lenient", "strict"] as const)
      inputs.push({ title: `${title} (${mode})`, reply, language, mode });
  };
  const fence = (code: string, tag = "") => `\`\`\`${tag}\n${code}\n\`\`\``;
  const filled = (piece: string, size = MEGABYTE) => piece.repeat(Math.ceil(size / piece.length));

  for (const piece of [
    "`",
    "~",
    "```\n",
    "~~~\n```\n",
    "> ",
    "> ```\n",
    "- ",
    "1. ",
    "<think>",
    "</think>",
    "<code>",
    "<answer>",
    "&lt;",
    "&",
    ">>> ",
    "+",
    "- ```\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    "\uFEFF",
    "\uD800",
    "\uDFFF\uD800",
    "a ",
    "a\n",
    "a. ",
    "#",
    "$ ",
    "def f(): pass\n\nText.\n\n",
    "    x\n",
    "In [1]: a\n",
    "@@\n",
    "```a\nb\n```c\n",
    "`` ``` ` ",
    "<pre><code>",
    "</code></pre>",
  ]) {
    add(`a megabyte of ${JSON.stringify(piece)}`, filled(piece));
    add(
      `a megabyte of ${JSON.stringify(piece)} before code`,
      `${filled(piece)}\n${fence("x = 1", "python")}`,
      "python",
    );
  } // prettier-ignore
  add("a line of ten megabytes", filled("a", 10 * MEGABYTE));
  add("a line of ten megabytes in a fence", fence(filled("a", 10 * MEGABYTE)), "python");
  add("a statement of ten megabytes", `x = ${filled("1 + ", 10 * MEGABYTE)}1`, "python");
  add("ten megabytes of code lines", filled("x = f(x)\n", 10 * MEGABYTE), "python");
  for (const language of LANGUAGES) {
    for (const [open, close] of ["()", "[]", "{}", "<>"]) {
      if (open === undefined || close === undefined) continue;
      add(
        `${language}: ${DEEP} nested ${open}${close}`,
        fence(open.repeat(DEEP) + close.repeat(DEEP), language),
        language,
      );
      add(`${language}: ${DEEP} ${open} unfenced`, open.repeat(DEEP), language);
    }
    for (const piece of BLOW_UPS[language]) {
      const title = `${language}: ${JSON.stringify(piece)} without end`;
      add(title, fence(piece.repeat(3000), language), language);
      add(
        `${title}, at the largest size that is parsed`,
        fence(filled(piece, 250 * 1024), language),
        language,
      );
      add(
        `${title}, in prose, no language given`,
        `Here is the code:\n\n${piece.repeat(2000)}\n\nIt is deep.`,
      );
    }
  }
  return inputs;
}

/** What is wrong with a result, whatever the reply was; undefined when nothing is. */
export function faultIn({ reply, language, mode }: FuzzInput, result: Result): string | undefined {
  const { code, valid, reason, diagnostics } = result;
  if (result.mode !== mode) return `mode ${result.mode}`;
  if (language !== undefined && result.language !== language) return `language ${result.language}`;
  if (valid && !LANGUAGES.some((one) => one === result.language)) return `language ${result.language}`;
  if (valid && (code.trim() === "" || reason !== null)) return "valid, but empty or with a reason";
  if (!valid && (reason === null || reason.trim() === "")) return "invalid without a reason";
  if (mode === "strict" && !valid && code !== "") return "strict and invalid, but not empty";
  if (result.origin === "none" ? code !== "" : !["fence", "text"].includes(result.origin))
    return `origin ${result.origin}`;
  if (!Number.isInteger(result.blocks) || result.blocks < 0) return `blocks ${result.blocks}`;
  const lines = diagnostics.length === 0 ? 0 : reply.split(/\r\n?|\n/).length;
  for (const { line, column, message } of diagnostics) {
    if (!(line >= 1 && line <= lines && column >= 1) || message === "")
      return `diagnostic at ${line}:${column}`;
  }
  if (!comesFrom(code, reply)) return "code that the reply does not hold";
  return undefined;
}

/**
 * Whether all characters of the code but white space stand in the reply in the same order. Entities count
 * as themselves and as what they stand for.
 */
export function comesFrom(code: string, reply: string): boolean {
  const source = reply.replace(
    /&(#\d+|#[xX][0-9a-fA-F]+|\w+);/g,
    (entity, name: string) => entity + decoded(name),
  );
  const wanted = code.replace(/\s+/g, "");
  let at = 0;
  // By UTF-16 units: half a character in the reply stays half a character.
  for (let index = 0; index < wanted.length; index++) {
    at = source.indexOf(wanted.charAt(index), at) + 1;
    if (at === 0) return false;
  }
  return true;
}

const NAMED: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
  nbsp: "\u00A0",
};

function decoded(name: string): string {
  if (!name.startsWith("#")) return NAMED[name] ?? "";
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : "";
}
