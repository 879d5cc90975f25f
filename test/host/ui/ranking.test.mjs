// The package in a real VS Code: what is shown is what the reward model prefers, and keys do what they should.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";
import { root } from "../../../scripts/setup.mjs";
import { writeReversed } from "../models.mjs";
import { appears, until } from "../workbench.mjs";
import { openSession, rankedByServer, scenario } from "./session.mjs";

const PREFIX = 'def add(a, b):\n    """Returns the sum of a and b."""\n    ';
const SUFFIX = "\n";
const VALID = ["return max(a, b) - min(a, b)", "return a + b", "return sum([a, b])", "return b"];
const INVALID = "return (a +";

let session;
let bench;
/** Best first, by the server's own command line. */
let expected;

before(async () => {
  const completions = [{ text: INVALID }, ...VALID.map((text) => ({ text }))];
  session = await openSession({
    name: "add.py",
    text: PREFIX + SUFFIX,
    completions,
    settings: { "codescaler.automatic.enable": false, "codescaler.automatic.minimumProbability": 0 },
  });
  bench = session.bench;
  expected = rank(undefined);
  // The best comes last, the worst first, and what is not valid before all of them.
  session.replay.completions = [
    { text: INVALID },
    ...expected.toReversed().map((text, index) => ({ text, delayMs: 30 * (index + 1) })),
  ];
});
after(() => session?.close());

function rank(model) {
  const texts = [INVALID, ...VALID];
  const entries = rankedByServer(session.folder, {
    language: "python",
    prefix: PREFIX,
    suffix: SUFFIX,
    texts,
    model,
  });
  const valid = entries.filter((entry) => entry.valid);
  assert.equal(valid.length, VALID.length);
  assert.equal(new Set(valid.map(({ reward }) => reward)).size, VALID.length, "equal rewards say nothing");
  return valid.map(({ code }) => code);
}

async function suggestAt(line, column) {
  await bench.cursorTo(session.file, line, column);
  await bench.command("CodeScaler: Suggest the Best of N");
}

scenario(
  "the command shows the best by the model as ghost text, and cycling shows the others in order",
  () => session,
  async () => {
    const byLength = [...VALID].sort((a, b) => a.length - b.length);
    assert.notDeepEqual(expected, byLength);
    assert.notDeepEqual(expected, byLength.toReversed());
    await suggestAt(3, 5);
    await bench.ghostThat(`ghost text ${expected[0]}`, (ghost) => ghost === expected[0]);
    for (const next of [...expected.slice(1), expected[0]]) {
      await bench.page.keyboard.press("Alt+]");
      await bench.ghostThat(`after cycling ${next}`, (ghost) => ghost === next);
    }
  },
);

scenario(
  "Tab inserts exactly what is shown, and the hover tells what it is",
  () => session,
  async () => {
    await bench.page.keyboard.press("Tab");
    await bench.saved(session.file, PREFIX + expected[0] + SUFFIX);
    const word = bench
      .editor(session.file)
      .locator(".view-line", { hasText: "return" })
      .locator("span span")
      .last();
    const hover = bench.page.locator(".monaco-hover:visible", { hasText: "CodeScaler" }).first();
    await until("the hover over accepted code", async () => {
      await bench.page.mouse.move(900, 700);
      await word.hover();
      return appears(hover);
    });
    const text = await hover.textContent();
    assert.match(text, /prediction/);
    assert.match(text, /Rank 1 of 4/);
    assert.match(text, /coder/);
    await bench.page.mouse.move(900, 700);
  },
);

scenario(
  "the compare panel lists the ranking, works by keyboard, and survives a reload",
  () => session,
  async () => {
    await bench.command("CodeScaler: Compare Candidates");
    const rows = bench.webview().locator("article");
    await rows.first().waitFor();
    const codes = async () => (await rows.locator("pre").allInnerTexts()).map((text) => text.trim());
    await until("all candidates in the panel", async () => (await rows.count()) === VALID.length + 1);
    assert.deepEqual((await codes()).slice(0, VALID.length), expected);
    assert.match(await rows.last().textContent(), /Not valid/);
    const said = await bench.webview().locator("body").textContent();
    assert.equal(said.split("nothing was run").length, 2, "what stands above the list stands there once");
    // Down to the second, and back.
    await rows.first().focus();
    await bench.page.keyboard.press("ArrowDown");
    await until("focus on the second", () =>
      rows.nth(1).evaluate((row) => row.ownerDocument.activeElement === row),
    );
    await bench.page.keyboard.press("c");
    await bench.webview().locator("#said", { hasText: "Copied" }).waitFor();
    await bench.webview().locator("#differences").check();
    await rows.nth(1).locator(".line.removed").first().waitFor();
    await bench.webview().locator("#differences").uncheck();
    // The diff editor shows the two, and the panel comes back from behind it.
    await rows.nth(1).focus();
    await bench.page.keyboard.press("d");
    const diff = bench.page.locator(".monaco-diff-editor .view-line");
    await until("both candidates in the diff editor", async () => {
      const lines = (await diff.allTextContents()).map((line) => line.replaceAll("\u00a0", " "));
      return expected.slice(0, 2).every((code) => lines.includes(code));
    });
    await bench.command("View: Close Editor");
    await rows.first().waitFor();
    // The button puts another candidate in the place of the accepted one.
    await rows.nth(1).getByRole("button", { name: "Insert" }).click();
    await bench.webview().locator("#said", { hasText: "Inserted" }).waitFor();
    await bench
      .editor(session.file)
      .locator(".view-lines")
      .click({ position: { x: 5, y: 5 } });
    await bench.saved(session.file, PREFIX + expected[1] + SUFFIX);
    const before = await codes();
    await bench.reload(session.file);
    await rows.first().waitFor();
    await bench.webview().locator("#differences").waitFor();
    assert.equal((await codes()).length, before.length);
    assert.equal(
      await bench.webview().locator("button").count(),
      0,
      "nothing can be done with an earlier session's",
    );
  },
);

scenario(
  "with the sign of the model's head reversed the order is reversed",
  () => session,
  async () => {
    const models = join(session.folder.home, "models");
    const model = join(models, "reversed.gguf");
    mkdirSync(models, { recursive: true });
    writeReversed(join(root, "media", "nano.gguf"), model);
    const reversed = expected.toReversed();
    assert.deepEqual(rank(model), reversed);
    session.folder.set({ "codescaler.rewardModel": "reversed" });
    await bench.reload(session.file);
    const fresh = session.folder.file("reversed.py", PREFIX + SUFFIX);
    await bench.openFile("reversed.py");
    session.file = fresh;
    await suggestAt(3, 5);
    await bench.ghostThat(`ghost text ${reversed[0]}`, (ghost) => ghost === reversed[0]);
  },
);
