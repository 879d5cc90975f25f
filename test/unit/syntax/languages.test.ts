/** What every language has to do, by its sample and its file in shared/syntax/languages. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { assemble, documentOf } from "../../../shared/syntax/cursor/assemble.ts";
import { stopOf } from "../../../shared/syntax/cursor/sample-stop.ts";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import {
  identityOf,
  LANGUAGES,
  type Language,
  languageOf,
  SYNTAX,
} from "../../../shared/syntax/languages/languages.ts";
import { normalForm } from "../../../shared/syntax/programs/normal-form.ts";
import { outlineOf } from "../../../shared/syntax/programs/outline.ts";
import { check } from "../../../shared/syntax/programs/validity.ts";
import { problemAt } from "../../../shared/syntax/units/problem.ts";
import { placeAt, unitOf, unitsIn } from "../../../shared/syntax/units/unit.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { SAMPLES } from "./language-samples.ts";

const require = createRequire(import.meta.url);

describe.each(LANGUAGES)("%s", (language) => {
  const [prefix = "", rest = ""] = SAMPLES[language].split("█");
  const [body = "", suffix = ""] = rest.split("¦");
  const program = prefix + body + suffix;
  const { lexis, nodes, programs } = SYNTAX[language];

  test("has names that are its own, in any case", () => {
    const { name, aliases, extensions, editorIds } = identityOf(language);
    expect(name).not.toBe("");
    for (const each of [language, ...aliases, ...extensions, ...editorIds]) {
      expect(languageOf(` ${each.toUpperCase()} `), each).toBe(language);
    }
  });

  test("names only nodes that its grammars have", () => {
    const known = nodeTypes(language);
    const named = Object.values(nodes).flatMap((names) =>
      typeof names === "string" ? names.split(/\s+/) : [],
    );
    const bodies = (nodes.bodiesUnder ?? []).flatMap(([node, parents]) => [node, ...parents.split(/\s+/)]);
    const unknown = [...named, ...bodies].filter((node) => node !== "" && !known.has(node));
    expect(unknown).toEqual([]);
  });

  test("tells a program from one that lacks a bracket", async () => {
    expect(await stateOf(program, language)).toBe("valid");
    expect(await stateOf(`${program.trimEnd()} ((`, language)).toBe("invalid");
  });

  test("is found by the tag of a block, whichever of its names that is", async () => {
    const { aliases, extensions } = identityOf(language);
    for (const tag of [language, ...aliases, ...extensions]) {
      const reply = `Here it is:\n\n\`\`\`${tag}\n${program}\`\`\`\n`;
      const found = await extract(reply, {}, await testRuntime());
      expect({ ...found, tag }).toMatchObject({ tag, language, valid: true, code: program.trimEnd() });
    }
  });

  test("is found in a block without a tag", async () => {
    const found = await extract(`Here it is:\n\n\`\`\`\n${program}\`\`\`\n`, {}, await testRuntime());
    expect(found).toMatchObject({ language, valid: true });
  });

  test("is found in prose without a block", async () => {
    const reply = `Here is the code.\n\n${program}\nThis adds one to the number that is given to it.\n`;
    const found = await extract(reply, { language }, await testRuntime());
    expect(found).toMatchObject({ valid: true, code: program.trimEnd() });
  });

  test("has the same normal form with another comment, and another one with another number", async () => {
    const runtime = await testRuntime();
    const form = (code: string) => normalForm(code, language, runtime);
    const mark = lexis.lineComments[0] ?? "";
    const noted =
      prefix.replace(/\n+$/, "") +
      `\n${/[ \t]*$/.exec(prefix)?.[0]}${mark} A note.\n${/[ \t]*$/.exec(prefix)?.[0]}`;
    expect(await form(noted + body + suffix)).toBe(await form(program));
    expect(await form(program.replace("x + 1", "x + 2"))).not.toBe(await form(program));
  });

  test("has the function in its outline, among its units, and around a place in it", async () => {
    const runtime = await testRuntime();
    await runtime.load(language);
    const tree = runtime.parse(language, program);
    expect(tree).not.toBeNull();
    if (tree === null) return;
    expect([...outlineOf(tree.rootNode, program, language).defines]).toContain("following");
    expect(unitsIn(tree.rootNode).map(({ kind, name }) => `${kind} ${name}`)).toContain("function following");
    const { node, kind } = placeAt(tree.rootNode, prefix.length, prefix.length + 1);
    expect(node && kind && unitOf(node, kind).name).toBe("following");
    tree.delete();
  });

  test("asks for the function at a cursor in it, with its comment and signature", async () => {
    const problem = await problemAt({ prefix, suffix, language }, await testRuntime());
    expect(problem).toContain("`following`");
    expect(problem).toContain("The number after it.");
    expect(problem).toContain("Signature:");
  });

  test("takes the body at the cursor as it is", async () => {
    const place = { prefix, suffix, language };
    const runtime = await testRuntime();
    expect(await assemble({ ...place, completion: body }, runtime)).toMatchObject({
      valid: true,
      insert: body,
    });
  });

  test("stops a sample where the document goes on", async () => {
    const runtime = await testRuntime();
    await runtime.load(language);
    const place = documentOf({ prefix, suffix, language }, runtime);
    const stop = stopOf(place, body + suffix);
    expect((body + suffix).slice(0, stop?.cut)).toBe(body);
    expect(stopOf(place, body)).toBeUndefined();
  });

  test("can stand in for what encloses an excerpt", async () => {
    for (const [open, close] of programs.enclosing) {
      // Methods of JavaScript have no word in front of them.
      const method = functionOf(program).replace(/^(?:export )?function /, "");
      const inner = [functionOf(program), method, body];
      const states = [];
      for (const text of inner) states.push(await stateOf(`${open}${indented(text)}${close}`, language));
      expect(states, open).toContain("valid");
    }
  });
});

async function stateOf(code: string, language: Language): Promise<string> {
  const runtime = await testRuntime();
  await runtime.load(language);
  const { tree, verdict } = check(code, language, runtime);
  tree?.delete();
  return verdict.state;
}

/** The function of a sample, from the line that names it to the line behind its body. */
function functionOf(program: string): string {
  const lines = program.split("\n");
  const at = lines.findIndex((line) => /following\b/.test(line));
  const end = lines.findIndex((line, index) => index > at && /^\s*(?:\}|end)$|^$/.test(line));
  return lines.slice(at, end + 1).join("\n");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}

/** All types of nodes in the grammars of a language. */
function nodeTypes(language: Language): ReadonlySet<string> {
  const types = new Set<string>();
  for (const [name, file] of Object.entries(SYNTAX[language].grammar.files)) {
    const folder = dirname(require.resolve(`${file.slice(0, file.lastIndexOf("/"))}/package.json`));
    const own = join(folder, name, "src", "node-types.json");
    const path = existsSync(own) ? own : join(folder, "src", "node-types.json");
    const listed: readonly { readonly type: string }[] = JSON.parse(readFileSync(path, "utf8"));
    for (const { type } of listed) types.add(type);
  }
  return types;
}
