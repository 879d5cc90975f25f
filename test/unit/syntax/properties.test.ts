import fc from "fast-check";
import { expect, test } from "vitest";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";
import { normalForm } from "../../../shared/syntax/programs/normal-form.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { faultIn, mutatedReplies } from "./fuzzing.ts";
import { replyCases, styleCases } from "./reply-corpus.ts";

/** Programs that parse, from the corpus: what a generator would make up is not what people write. */
const programs: readonly { language: Language; code: string }[] = [
  ...replyCases().flatMap(({ outcome, reported, code }) =>
    outcome === "valid" && code !== undefined ? [{ language: reported, code }] : [],
  ),
  ...styleCases(),
].map(({ language, code }) => ({ language, code }));

/** Properties try many replies each; the machines that run them may be busy. */
const TIME_LIMIT = { timeout: 60_000 };

const program = fc.constantFrom(...programs);
const language = fc.option(fc.constantFrom(...LANGUAGES), { nil: undefined });
const mode = fc.constantFrom("lenient" as const, "strict" as const);
/** Text that means something to a Markdown reader, mixed with any text at all. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(
        "```",
        "~~~",
        "\n",
        "\r\n",
        "> ",
        "- ",
        "<think>",
        "</think>",
        "<code>",
        "&lt;",
        ">>> ",
      ),
      fc.constantFrom("def f():\n", "    return 1\n", "x = 1\n", "fn f() {}\n", "echo hi\n", "Here it is:\n"),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

test("any text gets an answer that keeps its promises, in any language and mode", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  await fc.assert(
    fc.asyncProperty(text, language, mode, async (reply, asked, how) => {
      const result = await extract(reply, { language: asked, mode: how }, runtime);
      expect(faultIn({ title: "", reply, language: asked, mode: how }, result)).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

/** Outside a fence `<think>` is reasoning and ``` a fence, even where a program means something else by it. */
function speaksNoMarkup({ code }: { readonly code: string }): boolean {
  return !/<\/?think>|^`{3}/m.test(code);
}

/** How a program can be put into a fence without changing what it is. */
const fencing = fc.record({
  mark: fc.constantFrom("`", "~"),
  extra: fc.integer({ min: 0, max: 4 }),
  info: fc.constantFrom("", "tag", " tag", 'tag title="a b"', "tag {1,3}", "{.tag}", "TAG"),
  container: fc.constantFrom("", "> ", "   ", "> > "),
  close: fc.constantFrom("same", "longer", "none"),
  ends: fc.constantFrom("\n", "\r\n", "\r"),
  before: fc.constantFrom("", "Here it is:\n\n", "\uFEFF", "# Solution\n", "<think>Hm, `x`.</think>\n"),
  after: fc.constantFrom("", "\n", "\n\nThat is all, I hope it helps.", "\n\n- one\n- two"),
});

test("the program in a fence is found exactly, however it is fenced", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  await fc.assert(
    fc.asyncProperty(program, fencing, mode, async ({ language, code }, how, mode) => {
      const runs = code.match(how.mark === "`" ? /`+/g : /~+/g) ?? [];
      const length = Math.max(3, ...runs.map((run) => run.length + 1)) + how.extra;
      const open = how.mark.repeat(length);
      const tag = how.info === "TAG" ? language.toUpperCase() : language;
      const lines = [
        `${open}${how.info.replace(/tag/i, tag)}`,
        ...code.split("\n"),
        ...(how.close === "none" ? [] : [open + how.mark.repeat(how.close === "longer" ? 2 : 0)]),
      ];
      const block = lines
        .map((line) => (line === "" ? how.container.trimEnd() : how.container + line))
        .join("\n");
      const after = how.close === "none" ? "" : how.after;
      const reply = (how.before + block + after).replaceAll("\n", how.ends);
      const result = await extract(reply, { language, mode }, runtime);
      expect(result).toMatchObject({ code, language, valid: true, origin: "fence", reason: null, blocks: 1 });
    }),
    { numRuns: 1000 },
  );
});

test("a program alone is found exactly, without any fence", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  const wrong: string[] = [];
  for (const { language, code } of programs.filter(speaksNoMarkup)) {
    const result = await extract(code, { language, mode: "lenient" }, runtime);
    if (result.code !== code || !result.valid) wrong.push(`${language}: ${code}\n=> ${result.code}`);
  }
  expect(wrong).toEqual([]);
});

test("what strict accepts, lenient accepts too", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  const wrong: string[] = [];
  for (const { title, reply, language, mutated } of [
    ...replyCases().map((one) => ({ ...one, mutated: false })),
    ...[...mutatedReplies(3, 1000)].map((one) => ({ ...one, mutated: true })),
  ]) {
    const strict = await extract(reply, { language, mode: "strict" }, runtime);
    if (!strict.valid) continue;
    const lenient = await extract(reply, { language, mode: "lenient" }, runtime);
    // In a torn reply a person could not say which program is meant: it need not be the same.
    if (!lenient.valid || (!mutated && lenient.code !== strict.code)) wrong.push(title);
  }
  expect(wrong).toEqual([]);
});

test("extracting an extracted program changes nothing", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  const wrong: string[] = [];
  for (const { title, reply, language } of replyCases()) {
    const once = await extract(reply, { language, mode: "lenient" }, runtime);
    if (!once.valid || once.language === "" || !speaksNoMarkup(once)) continue;
    const twice = await extract(once.code, { language: once.language, mode: "lenient" }, runtime);
    if (twice.code !== once.code || !twice.valid) wrong.push(title);
  }
  expect(wrong).toEqual([]);
});

test("the normal form of a normal form is itself", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  for (const { language, code } of programs) {
    const normal = await normalForm(code, language, runtime);
    expect(await normalForm(normal, language, runtime)).toBe(normal);
  }
});

test("comments and blank lines do not change the normal form, names do", TIME_LIMIT, async () => {
  const runtime = await testRuntime();
  for (const { language, code } of programs) {
    // Behind a closing PHP tag everything is HTML.
    if (code.includes("?>")) continue;
    const mark = ["python", "ruby", "bash"].includes(language) ? "#" : "//";
    const normal = await normalForm(code, language, runtime);
    expect(await normalForm(`${code}\n\n${mark} a note\n\n`, language, runtime)).toBe(normal);
    const renamed = code.replace(/[a-z]{4,}/, "another");
    if (renamed === code || startsInComment(code)) continue;
    expect(await normalForm(renamed, language, runtime)).not.toBe(normal);
  }
});

/** Where the first word may be part of a comment. */
function startsInComment(code: string): boolean {
  return /^\s*(#|\/|<\?php\s*(\/|#)|""")/.test(code);
}
