/** What typing does: suggestions while typing, along with them, and against them. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { Api } from "../../../src/extension.ts";
import type { TraceEvent } from "../../../src/inline/trace/trace.ts";
import type { Ranking } from "../../../src/ranking/ranking.ts";
import type { Replay } from "../../helpers/replay/replay.ts";
import {
  accept,
  api,
  closeAll,
  configure,
  onlySource,
  openAt,
  openBeside,
  rankedAt,
  type,
  until,
} from "./editor.ts";

const ADD = 'def add(a, b):\n    """Returns the sum of a and b."""\n    return█\n';
const COMPLETIONS = [{ text: "a - b" }, { text: "a + b" }, { text: "a +" }, { text: "sum([a, b])" }];

describe("typing", () => {
  let replay: Replay;
  let extension: Api;
  before(async () => {
    extension = await api();
    replay = await onlySource({ vendor: "openai", completions: COMPLETIONS });
    await configure({
      "automatic.minimumProbability": 0,
      "automatic.debounce": 100,
      "automatic.prefetch": false,
      // The machine may be slow at loading the parser.
      "automatic.budget": 30_000,
    });
  });
  after(async () => {
    await replay.close();
    await configure({
      sources: undefined,
      "automatic.minimumProbability": undefined,
      "automatic.debounce": undefined,
      "automatic.prefetch": undefined,
      "automatic.budget": undefined,
    });
  });
  beforeEach(() => {
    replay.completions = COMPLETIONS;
    replay.requests.length = 0;
  });
  afterEach(closeAll);

  function lastEvents(): TraceEvent["kind"][] {
    return extension.traces.traces.at(-1)?.steps.map(({ event }) => event.kind) ?? [];
  }

  async function shown(): Promise<void> {
    await until("a suggestion given to the editor", () => lastEvents().includes("shown"));
  }

  /** The text of the first suggestion of a ranking. */
  function insertOf(ranking: Ranking): string {
    const row = ranking.reply?.candidates.find(({ id }) => id === ranking.shown);
    return row?.code ?? "";
  }

  it("shows a valid candidate, asked for in one request", async () => {
    const editor = await openAt("add.py", ADD);
    await type(" ");
    await shown();
    const ranking = await rankedAt(editor);
    assert.equal(replay.requests.length, 1);
    assert.equal(replay.requests[0]?.body["n"], 4);
    assert.notEqual(insertOf(ranking), "");
    await accept(editor);
    assert.equal(editor.document.getText(), ADD.replace("█", ` ${insertOf(ranking)}`));
  });

  it("along with a suggestion keeps it and asks nothing", async () => {
    const editor = await openAt("add.py", ADD);
    await type(" ");
    await shown();
    const insert = insertOf(await rankedAt(editor));
    await type(insert.slice(0, 1));
    await until("an answer from the earlier request", () => lastEvents().includes("reused"));
    await type(insert.slice(1, 2));
    await shown();
    assert.equal(replay.requests.length, 1);
    await accept(editor);
    assert.equal(editor.document.getText(), ADD.replace("█", ` ${insert}`));
  });

  it("shows the whole lines so far when its time is over and nothing is whole by then", async () => {
    replay.completions = [{ text: "total = a\n    total += b\n    return total" }];
    replay.faults.push({ kind: "hang", after: 8 });
    await configure({ "automatic.candidates": 1, "automatic.budget": 2000 });
    try {
      const head = 'def add(a, b):\n    """Returns the sum of a and b."""\n';
      const editor = await openAt("draft.py", `${head}   █\n`);
      await type(" ");
      await shown();
      await accept(editor);
      assert.equal(editor.document.getText(), `${head}    total = a\n    total += b\n`);
    } finally {
      await configure({ "automatic.candidates": undefined, "automatic.budget": 30_000 });
    }
  });

  it("something else stops the request down to its socket", async () => {
    replay.completions = [{ text: "a + b", delayMs: 20_000 }];
    await openAt("add.py", ADD);
    await type(" ");
    const request = await until("a request", () => replay.requests[0]);
    await type("x");
    assert.equal(await request.aborted, true);
  });

  it("is given nothing for a text that something else has changed meanwhile", async () => {
    replay.completions = [{ text: "a + b", delayMs: 1500 }];
    const editor = await openAt("add.py", ADD);
    await type(" ");
    await until("a request", () => replay.requests[0]);
    const text = 'def sub(a, b):\n    """Another."""\n    return a - b\n';
    const edit = new vscode.WorkspaceEdit();
    const all = new vscode.Range(0, 0, editor.document.lineCount, 0);
    edit.replace(editor.document.uri, all, text);
    await vscode.workspace.applyEdit(edit);
    await until("the end of the request", () =>
      ["cancelled", "document-changed", "superseded"].some((kind) =>
        lastEvents().some((event) => event === kind),
      ),
    );
    assert.ok(!lastEvents().includes("shown"));
    await vscode.commands.executeCommand("editor.action.inlineSuggest.commit");
    assert.equal(editor.document.getText(), text);
  });

  it("quickly asks once, after the last key", async () => {
    await configure({ "automatic.debounce": 2000 });
    try {
      const editor = await openAt("add.py", ADD);
      await type(" (a, b");
      await shown();
      await rankedAt(editor);
      assert.equal(replay.requests.length, 1);
    } finally {
      await configure({ "automatic.debounce": 100 });
    }
  });

  it("shows nothing when even the best is probably wrong, and the report says so", async () => {
    await configure({ "automatic.minimumProbability": 1 });
    try {
      const editor = await openAt("add.py", ADD);
      await type(" ");
      const ranking = await rankedAt(editor);
      await until("the decision", () => lastEvents().includes("abstained"));
      assert.equal(ranking.shown, undefined);
    } finally {
      await configure({ "automatic.minimumProbability": 0 });
    }
  });

  it("asks nothing in files that may hold secrets, that are excluded, or while it is switched off", async () => {
    const refusedIn = async (name: string) => {
      await openAt(name, ADD);
      await type(" ");
      await until(`the refusal in ${name}`, () => {
        const { file, steps } = extension.traces.traces.at(-1) ?? {};
        const last = steps?.at(-1)?.event.kind ?? "";
        return file === name && ["refused", "automatic-off"].includes(last);
      });
      await closeAll();
    };
    await refusedIn("credentials.py");
    await configure({ exclude: ["generated.py"] });
    await refusedIn("generated.py");
    await configure({ exclude: undefined, "automatic.enable": false });
    await refusedIn("off.py");
    await configure({ "automatic.enable": undefined });
    assert.equal(replay.requests.length, 0);
  });

  it("asks nothing inside of a word", async () => {
    await openAt("add.py", "def add(a, b):\n    ret█urn a\n");
    await type("x");
    await until("the decision", () => lastEvents().includes("inside-word"));
    assert.equal(replay.requests.length, 0);
  });

  it("in a file of 50,000 lines sends only what is near", async () => {
    const lines = Array.from({ length: 25_000 }, (_, index) => `value_${index} = ${index}`).join("\n");
    const editor = await openAt("huge.py", `${lines}\n${ADD}${lines}\n`);
    await type(" ");
    const ranking = await rankedAt(editor);
    assert.ok(ranking.reply?.candidates.some(({ valid }) => valid));
    const sent = JSON.stringify(replay.requests[0]?.body ?? {});
    assert.ok(sent.length < 20_000, `${sent.length} characters were sent`);
    assert.match(sent, /Returns the sum/);
  });

  it("in one of two editors of a document is about its own cursor", async () => {
    const first = await openAt("two.py", `${ADD}\n\ndef other():\n    pass\n`);
    const second = await openBeside(first);
    second.selection = new vscode.Selection(6, 4, 6, 8);
    await type("return ");
    const ranking = await rankedAt(second);
    assert.match(ranking.cursor.prefix, /def other\(\):\n {4}return $/);
  });

  it("with several cursors inserts at all of them", async () => {
    const editor = await openAt("cursors.py", "def f(a, b):\n    return\n\ndef g(a, b):\n    return\n");
    editor.selections = [new vscode.Selection(1, 10, 1, 10), new vscode.Selection(4, 10, 4, 10)];
    await type(" ");
    await shown();
    await rankedAt(editor);
    await accept(editor);
    const inserted = editor.document.lineAt(1).text;
    assert.match(inserted, /^ {4}return \S/);
    assert.equal(editor.document.lineAt(4).text, inserted);
  });

  it("in a notebook knows the cells before", async () => {
    const notebook = await vscode.workspace.openNotebookDocument(
      "jupyter-notebook",
      new vscode.NotebookData([
        new vscode.NotebookCellData(vscode.NotebookCellKind.Code, "%load_ext x\nimport math", "python"),
        new vscode.NotebookCellData(vscode.NotebookCellKind.Code, "def area(r):\n    return", "python"),
      ]),
    );
    await vscode.window.showNotebookDocument(notebook, { selections: [new vscode.NotebookRange(1, 2)] });
    const cell = notebook.cellAt(1).document;
    await vscode.commands.executeCommand("notebook.cell.edit");
    const editor = await until("the cell's editor", () =>
      vscode.window.visibleTextEditors.find(({ document }) => document === cell),
    );
    const end = cell.positionAt(cell.getText().length);
    editor.selection = new vscode.Selection(end, end);
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const ranking = await rankedAt(editor);
    assert.equal(ranking.cursor.prefix, "import math\n\ndef area(r):\n    return");
  });
});

describe("scores", () => {
  afterEach(closeAll);

  it("follow their text, and are marked when it changes", async () => {
    const { scores, session } = await api();
    const editor = await openAt("score.py", "def mul(a, b):\n    return a █* b\n");
    const uri = editor.document.uri.toString();
    void vscode.commands.executeCommand("codescaler.scoreFunction");
    const [anchor] = await until("a score", () => (scores.in(uri).length > 0 ? scores.in(uri) : undefined));
    assert.equal(session.get(anchor?.rankingId ?? "")?.reply?.candidates[0]?.valid, true);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), "# first\n"));
    assert.deepEqual(scores.in(uri), [{ ...anchor, start: 8, end: (anchor?.end ?? 0) + 8 }]);
    await editor.edit((edit) => edit.insert(new vscode.Position(2, 15), " "));
    assert.equal(scores.in(uri)[0]?.stale, true);
    await vscode.commands.executeCommand("codescaler.clearScores");
    assert.deepEqual(scores.in(uri), []);
  });

  it("are not given to code that changed while it was being scored", async () => {
    const { scores, session } = await api();
    // Long enough that reading it takes the model far more time than an edit takes the editor.
    const lines = Array.from({ length: 400 }, (_, line) => `    total += a * ${line}\n`).join("");
    const editor = await openAt(
      "change.py",
      `def mul(a, b):\n    total = a █* b\n${lines}    return total\n`,
    );
    const uri = editor.document.uri.toString();
    const scored = vscode.commands.executeCommand("codescaler.scoreFile");
    await editor.edit((edit) => edit.insert(new vscode.Position(1, 16), " "));
    await until("the ranking", () => session.latest(uri));
    assert.deepEqual(scores.in(uri), []);
    await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
    await scored;
  });
});
