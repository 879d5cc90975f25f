/** Strict reader of the hand-written replies in test/fixtures/syntax/replies; its README describes the format. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";

export const REPLIES = join(import.meta.dirname, "../../fixtures/syntax/replies");

export interface ReplyCase {
  /** "python.txt:12 name" */
  readonly title: string;
  readonly name: string;
  readonly reply: string;
  readonly language: Language | undefined;
  readonly mode: "lenient" | "strict";
  readonly outcome: "valid" | "invalid" | "empty";
  readonly origin: "fence" | "text" | "none" | undefined;
  /** Language the result must report. */
  readonly reported: Language;
  /** Undefined where the case leaves the text of an invalid reply open. */
  readonly code: string | undefined;
  readonly reason: RegExp | undefined;
  readonly blocks: number | undefined;
  readonly at: number | undefined;
}

interface Section {
  readonly name: string;
  readonly where: string;
  readonly fields: Map<string, string>;
  readonly lines: string[];
}

const FIELDS = new Set(["ask", "get", "reason", "blocks", "at", "with", "code", "note"]);

/** Every case of the language files. Throws on anything that the README does not describe. */
export function replyCases(): ReplyCase[] {
  const cases = LANGUAGES.flatMap((language) =>
    sections(`${language}.txt`).map((section) => replyCase(section, language)),
  );
  const names = new Set<string>();
  for (const one of cases) {
    if (names.has(one.name)) throw new Error(`${one.title}: the name is used twice`);
    names.add(one.name);
  }
  return cases;
}

/** Files of the folder that this reader knows nothing about. */
export function strayFiles(): string[] {
  const known = new Set(["README.md", ...LANGUAGES.flatMap((one) => [`${one}.txt`, `styles-${one}.txt`])]);
  return readdirSync(REPLIES).filter((name) => !known.has(name));
}

/** Cuts a fixture file into its `=== name` sections. */
export function sections(file: string): Section[] {
  const result: Section[] = [];
  const lines = readFileSync(join(REPLIES, file), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    const where = `${file}:${index + 1}`;
    const current = result.at(-1);
    if (line.startsWith("=== ")) {
      result.push({ name: line.slice(4).trim(), where, fields: new Map(), lines: [] });
    } else if (/^[|>=~]( |$)/.test(line)) {
      if (current === undefined) throw new Error(`${where}: a reply line before any case`);
      current.lines.push(line);
    } else if (line.trim() !== "") {
      const [, key = "", value = ""] = /^([a-z]+): (.*)$/.exec(line) ?? [];
      if (current === undefined || !FIELDS.has(key) || current.fields.has(key) || current.lines.length > 0) {
        throw new Error(`${where}: not a line of a case: ${JSON.stringify(line)}`);
      }
      current.fields.set(key, value.trim());
    }
  }
  return result;
}

/** Text of the lines with one of `marks`; runs that stood apart are kept apart by a blank line. */
export function marked(lines: readonly string[], mark: string): string {
  const runs: string[][] = [];
  let inside = false;
  for (const line of lines) {
    const wanted = line.startsWith(mark);
    if (wanted && !inside) runs.push([]);
    if (wanted) runs.at(-1)?.push(line.slice(2));
    inside = wanted;
  }
  return runs.map((run) => run.join("\n")).join("\n\n");
}

function replyCase(section: Section, file: Language): ReplyCase {
  const title = `${section.where} ${section.name}`;
  const fail = (why: string): never => {
    throw new Error(`${title}: ${why}`);
  };
  const field = (key: string) => section.fields.get(key);
  const words = (key: string) => (field(key) ?? "").split(" ").filter((word) => word !== "");

  const [asked = fail("ask is missing"), mode = "lenient", ...askedMore] = words("ask");
  if ((mode !== "lenient" && mode !== "strict") || askedMore.length > 0) fail(`ask: ${field("ask")}`);
  const language = asked === "any" ? undefined : (LANGUAGES.find((one) => one === asked) ?? fail("ask"));

  const [outcome = fail("get is missing"), ...known] = words("get");
  if (outcome !== "valid" && outcome !== "invalid" && outcome !== "empty") return fail(`get: ${outcome}`);
  const origin = (["fence", "text", "none"] as const).find((one) => known.includes(one));
  const reported = LANGUAGES.find((one) => known.includes(one));
  if (known.length !== Number(origin !== undefined) + Number(reported !== undefined)) fail("get");

  const reason = field("reason");
  const pattern = reason === undefined ? undefined : /^\/(.*)\/$/.exec(reason)?.[1];
  if (reason !== undefined && pattern === undefined) fail("reason is no regular expression");

  const given = section.lines.filter((line) => line.startsWith("="));
  const reply = section.lines.filter((line) => !line.startsWith("="));
  if (given.length > 0 && reply.some((line) => line.startsWith(">"))) fail("both > and = lines");
  if (reply.some((line) => line.startsWith("~"))) fail("~ belongs to the three-style files");
  const twists = new Set(words("with"));
  const literal = (text: string) =>
    twists.has("escapes")
      ? text.replace(/\\u\{([0-9A-Fa-f]+)\}/g, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
      : text;
  const ends = twists.has("crlf") ? "\r\n" : twists.has("cr") ? "\r" : "\n";
  for (const twist of twists) {
    if (!["crlf", "cr", "bom", "newline", "escapes"].includes(twist)) fail(`with: ${twist}`);
  }
  const open = field("code") === "unspecified";
  if (field("code") !== undefined && !open) fail("code may only be unspecified");
  const code = marked(section.lines, given.length > 0 ? "=" : ">");
  if (outcome === "valid" && code === "") fail("a valid case needs its code");
  if (outcome === "empty" && code !== "") fail("an empty case has no code");
  if (outcome === "invalid" && !open && code === "") fail("say the code, or that it is unspecified");
  const number = (key: string) => {
    const text = field(key);
    return text === undefined ? undefined : /^\d+$/.test(text) ? Number(text) : fail(key);
  };
  return {
    title,
    name: section.name,
    reply:
      (twists.has("bom") ? "\uFEFF" : "") +
      literal(reply.map((line) => line.slice(2)).join("\n")).replaceAll("\n", ends) +
      (twists.has("newline") ? ends : ""),
    language,
    mode: mode === "strict" ? "strict" : "lenient",
    outcome,
    origin,
    reported: reported ?? language ?? file,
    code: open ? undefined : literal(code),
    reason: pattern === undefined ? undefined : new RegExp(pattern, "i"),
    blocks: number("blocks"),
    at: number("at"),
  };
}

/** One reply in several styles; the program in all of them is `code`. */
export interface StyleCase {
  readonly title: string;
  readonly language: Language;
  readonly code: string;
  readonly markdown: string;
  /** The Markdown without its fences. */
  readonly unfenced: string;
  /** The same without any Markdown. */
  readonly prose: string;
  readonly bare: string;
}

const STYLED: readonly Language[] = [
  "python",
  "javascript",
  "java",
  "cpp",
  "go",
  "rust",
  "typescript",
  "c",
  "csharp",
  "ruby",
  "php",
  "kotlin",
];

/** Every program of the three-style files. */
export function styleCases(): StyleCase[] {
  return STYLED.flatMap((language) =>
    sections(`styles-${language}.txt`).map((section) => {
      const { lines } = section;
      if (section.fields.size > 0 || lines.some((line) => line.startsWith("="))) {
        throw new Error(`${section.where}: only |, > and ~ lines belong here`);
      }
      const code = marked(lines, ">");
      return {
        title: `${section.where} ${section.name}`,
        language,
        code,
        markdown: fenced(lines, language),
        unfenced: lines.map((line) => line.slice(2)).join("\n"),
        prose: lines.map((line) => (line.startsWith("|") ? plain(line.slice(2)) : line.slice(2))).join("\n"),
        bare: code,
      };
    }),
  );
}

function fenced(lines: readonly string[], language: Language): string {
  const out: string[] = [];
  let open = "|";
  for (const line of [...lines, "|"]) {
    const mark = line.charAt(0);
    if (mark !== open && open !== "|") out.push("```");
    if (mark !== open && mark !== "|") out.push(`\`\`\`${language}`);
    open = mark;
    out.push(line.slice(2));
  }
  return out.slice(0, -1).join("\n");
}

/** Prose without its Markdown. */
function plain(line: string): string {
  return line.replace(/^#+ /, "").replace(/\*\*|`/g, "");
}
