// The first minutes of someone without any source, in a high-contrast theme: no popup, the walkthrough, the sample.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { appears, until } from "../workbench.mjs";
import { openSession, scenario } from "./session.mjs";

/** Long enough that a popup caused by typing would have come. */
const QUIET_MS = 3000;

let session;
let bench;

before(async () => {
  session = await openSession({
    name: "notes.py",
    text: "# notes\n",
    completions: [],
    settings: { "codescaler.sources": [], "workbench.colorTheme": "Default High Contrast" },
  });
  bench = session.bench;
});
after(() => session?.close());

scenario(
  "typing without any source causes no message",
  () => session,
  async () => {
    await bench.cursorTo(session.file, 2, 1);
    await bench.readyToSuggest();
    await bench.page.keyboard.type("total = 1 + ", { delay: 30 });
    assert.equal(await appears(bench.page.locator(".notification-toast").first(), QUIET_MS), false);
    assert.equal(await bench.ghost(), "");
  },
);

scenario(
  "the report says why nothing was shown, and what to do",
  () => session,
  async () => {
    await bench.command("CodeScaler: Why Was Nothing Shown?");
    const page = bench.webview().locator("body");
    await until("the reason", async () => /No source of completions/.test((await page.textContent()) ?? ""));
    assert.match(await page.textContent(), /Add a Source of Completions/);
    await bench.command("View: Close Editor");
  },
);

scenario(
  "the walkthrough leads to a sample that the real model ranks",
  () => session,
  async () => {
    await bench.command("Welcome: Open Walkthrough...");
    await bench.page.locator(".quick-input-list .monaco-list-row", { hasText: "CodeScaler" }).first().click();
    const step = (title) => bench.page.locator(".getting-started-step", { hasText: title });
    await step("Choose where completions come from").waitFor();
    await step("Let it pick the best of N").click();
    // In a window of this width the editor leaves the picture out of sight.
    const picture = bench.page.locator(".getting-started-media img").first();
    await picture.waitFor({ state: "attached" });
    assert.match((await picture.getAttribute("srcset")) ?? "", /suggest-dark\.png/);
    await bench.page.getByRole("button", { name: "Try It on a Sample" }).click();
    await bench.ghostThat("the sample's best", (ghost) => /size/.test(ghost));
  },
);

scenario(
  "the compare panel has visible borders in high contrast",
  () => session,
  async () => {
    await bench.command("CodeScaler: Compare Candidates");
    const card = bench.webview().locator("article").first();
    await card.waitFor();
    const border = await card.evaluate((element) => {
      const { borderTopColor, borderTopWidth } = getComputedStyle(element);
      return { borderTopColor, borderTopWidth };
    });
    assert.equal(border.borderTopWidth, "1px");
    assert.notEqual(border.borderTopColor, "rgba(0, 0, 0, 0)");
    await card.getByRole("meter").waitFor();
    assert.match((await card.getByRole("button").first().getAttribute("aria-label")) ?? "", /Rank 1/);
  },
);
