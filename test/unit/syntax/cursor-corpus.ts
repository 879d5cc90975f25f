/** Strict reader of the hand-written cursor cases in test/fixtures/syntax/cursor; its README describes the format. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";

export const CURSOR_CASES = join(import.meta.dirname, "../../fixtures/syntax/cursor");

/** Stands for the cursor in a document, and for a carriage return anywhere. */
const CURSOR = "█";
const RETURN = "␍";

export interface CursorCase {
  /** "python.txt:12 name" */
  readonly title: string;
  readonly name: string;
  readonly language: Language;
  readonly prefix: string;
  readonly suffix: string;
  readonly completion: string;
  readonly outcome: "valid" | "invalid" | "nothing";
  /** Undefined where the case leaves the text of an invalid completion open. */
  readonly insert: string | undefined;
  readonly unit: string | undefined;
  readonly reason: RegExp | undefined;
}

interface Section {
  readonly where: string;
  readonly name: string;
  readonly document: readonly string[];
  readonly marked: Record<">" | "=" | "@", string[]>;
  readonly fields: Map<string, string>;
}

/** Every case of the language files. Throws on anything that the README does not describe. */
export function cursorCases(): CursorCase[] {
  const cases = LANGUAGES.flatMap((language) =>
    sectionsOf(`${language}.txt`).map((one) => cursorCase(one, language)),
  );
  const titles = new Set<string>();
  for (const one of cases) {
    const key = `${one.language} ${one.name}`;
    if (titles.has(key)) throw new Error(`${one.title}: the name is used twice`);
    titles.add(key);
  }
  return cases;
}

/** Files of the folder that this reader knows nothing about. */
export function strayFiles(): string[] {
  const known = new Set(["README.md", ...LANGUAGES.map((language) => `${language}.txt`)]);
  return readdirSync(CURSOR_CASES).filter((name) => !known.has(name));
}

function sectionsOf(file: string): Section[] {
  const sections: Section[] = [];
  let document: string[] | undefined;
  let open = false;
  const lines = readFileSync(join(CURSOR_CASES, file), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    const where = `${file}:${index + 1}`;
    const current = open ? sections.at(-1) : undefined;
    const mark = line.charAt(0);
    if (line.startsWith("--- ")) {
      document = [];
      open = false;
    } else if (line.startsWith("=== ")) {
      if (document === undefined) throw new Error(`${where}: a case before any document`);
      const name = line.slice(4).trim();
      sections.push({ where, name, document, marked: { ">": [], "=": [], "@": [] }, fields: new Map() });
      open = true;
    } else if (/^[|>=@]( |$)/.test(line)) {
      const text = line.slice(2);
      if (mark === "|" && !open && document !== undefined) document.push(text);
      else if ((mark === ">" || mark === "=" || mark === "@") && current !== undefined)
        current.marked[mark].push(text);
      else throw new Error(`${where}: a line out of place`);
    } else if (line.trim() !== "") {
      const [, key = "", value = ""] = /^(valid|invalid|nothing|insert|unit)(?:: (.*))?$/.exec(line) ?? [];
      if (key === "" || current === undefined || current.fields.has(key)) {
        throw new Error(`${where}: not a line of a case: ${JSON.stringify(line)}`);
      }
      current.fields.set(key, value.trim());
    }
  }
  return sections;
}

function cursorCase(section: Section, language: Language): CursorCase {
  const title = `${section.where} ${section.name}`;
  const fail = (why: string): never => {
    throw new Error(`${title}: ${why}`);
  };
  const joined = (lines: readonly string[]) => lines.join("\n").replaceAll(RETURN, "\r");
  const parts = joined(section.document).split(CURSOR);
  const [prefix, suffix] = parts;
  if (prefix === undefined || suffix === undefined || parts.length !== 2)
    return fail("a document has one cursor");
  const outcomes = (["valid", "invalid", "nothing"] as const).filter((one) => section.fields.has(one));
  const [outcome] = outcomes;
  if (outcome === undefined || outcomes.length !== 1) return fail("one of valid, invalid and nothing");

  const pattern = section.fields.get(outcome) ?? "";
  const reason =
    pattern === "" ? undefined : (/^\/(.*)\/$/.exec(pattern)?.[1] ?? fail("reason is no pattern"));
  if (outcome === "valid" && reason !== undefined) fail("what is valid has no reason");

  const completion = joined(section.marked[">"]);
  const lines = section.marked["="];
  const said = section.fields.get("insert");
  if (lines.length > 0 === (said !== undefined)) fail("either = lines or insert");
  const insert =
    said === undefined
      ? joined(lines)
      : said === "as given"
        ? completion
        : said === "nothing"
          ? ""
          : said === "unspecified" && outcome === "invalid"
            ? undefined
            : fail(`insert: ${said}`);
  const whole = section.fields.get("unit");
  if (whole !== undefined && (whole !== "whole" || section.marked["@"].length > 0)) fail("unit");
  const unit =
    whole === undefined
      ? section.marked["@"].length > 0
        ? joined(section.marked["@"])
        : undefined
      : `${prefix}${insert ?? ""}${suffix}`.replaceAll("\r\n", "\n").trim();
  return {
    title,
    name: section.name,
    language,
    prefix,
    suffix,
    completion,
    outcome,
    insert,
    unit,
    reason: reason === undefined ? undefined : new RegExp(reason, "i"),
  };
}
