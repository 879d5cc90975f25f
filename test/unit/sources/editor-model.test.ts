/** The editor's own models, through the members that are used of them. */
import { expect, test } from "vitest";
import { type EditorModel, editorSource } from "../../../src/sources/kinds/editor-source.ts";
import { outcome, PREFIX, SUFFIX } from "./asking.ts";

function source(model: EditorModel | undefined) {
  return editorSource({ id: "editor", label: "GPT (copilot)", model: async () => model });
}

async function* pieces(...all: string[]) {
  for (const piece of all) yield piece;
}

/** An error as `vscode.LanguageModelError` makes it. */
const modelError = (code: string) => Object.assign(new Error("something about the prompt"), { code });

test("answers as often as asked, and never by itself", async () => {
  const asked: (readonly string[])[] = [];
  const model: EditorModel = {
    send: async (messages) => {
      asked.push(messages);
      return pieces("```python\n", "return a\n", "```");
    },
  };
  expect(source(model)).toMatchObject({ automatic: false, remote: true });
  const { texts, error, spent } = await outcome(source(model), { count: 3 });
  expect(error).toBeUndefined();
  expect(texts).toEqual(Array(3).fill("```python\nreturn a\n```"));
  expect(spent).toMatchObject({ requests: 3, estimated: true });
  expect(spent.promptTokens).toBeGreaterThan(0);
  expect(asked[0]?.join("\n")).toContain(`${PREFIX}<CURSOR>${SUFFIX}`);
});

test.each([
  ["NoPermissions", "no_consent"],
  ["NotFound", "no_editor_model"],
  ["Blocked", "editor_refused"],
  ["Other", "unexpected"],
])("an error %s is told as %s, without its text", async (code, kind) => {
  const model: EditorModel = { send: () => Promise.reject(modelError(code)) };
  const { error } = await outcome(source(model));
  expect(error?.kind).toBe(kind);
  expect(error?.message).not.toContain("prompt");
});

test("an error in the middle keeps what came before", async () => {
  const model: EditorModel = {
    send: async () =>
      (async function* () {
        yield "return";
        throw modelError("Blocked");
      })(),
  };
  const { completions, error } = await outcome(source(model));
  expect(completions).toEqual([{ text: "return", complete: false, tokens: undefined }]);
  expect(error?.kind).toBe("editor_refused");
});

test("no model is told", async () => {
  expect((await outcome(source(undefined))).error?.kind).toBe("no_editor_model");
});

test("is cancelled when the text is enough", async () => {
  const signals: AbortSignal[] = [];
  const model: EditorModel = {
    send: async (_messages, _temperature, signal) => {
      signals.push(signal);
      return pieces("return a", "\n\nand much more");
    },
  };
  const { texts } = await outcome(source(model), {}, { stopEarly: (text) => text.includes("return a") });
  expect(texts).toEqual(["return a"]);
  expect(signals[0]?.aborted).toBe(true);
});
