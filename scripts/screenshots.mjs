// Pictures for the README and the walkthrough, and the icon: `node scripts/screenshots.mjs`. Run by hand when the look changes.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { bundle } from "../test/host/bundle.mjs";
import { appears, until } from "../test/host/workbench.mjs";
import { packageFor } from "./package.mjs";
import { root } from "./setup.mjs";
import { installHost } from "./vscode-host.mjs";

const THEMES = { dark: "Default Dark Modern", light: "Default Light Modern" };
const WIDE = { width: 1180, height: 640 };
/** Animations of the editor end within this. */
const SETTLE_MS = 700;

const TEXT = `def max_subarray(values: list[int]) -> int:
    """Returns the largest sum of a contiguous, non-empty part of values."""
    
`;
const COMPLETIONS = [
  "best = 0\n    for i in range(len(values)):\n        best = max(best, sum(values[: i + 1]))\n    return best",
  "best = current = values[0]\n    for value in values[1:]:\n        current = max(value, current + value)\n        best = max(best, current)\n    return best",
  "return max(values)",
  "highest = running = values[0]\n    for item in values[1:]:\n        running = max(item, running + item)\n        highest = max(highest, running)\n    return highest",
  "best = current = values[0]\n    for value in values[1:]:\n        current = max(value, current + value)\n        best = max(best, current)\n    return best",
  "best = current = values[0]\n    for value in values[1:\n        current",
].map((text) => ({ text }));

const out = join(root, "docs", "images");
const media = join(root, "media", "walkthrough");
mkdirSync(out, { recursive: true });
process.env["HOST_BROWSER"] = installHost();
process.env["HOST_REPLAY"] = (await bundle()).replay;
process.env["HOST_VSIX"] =
  process.env["HOST_VSIX"] ?? (await packageFor(`${process.platform}-${process.arch}`));
const { openSession } = await import("../test/host/ui/session.mjs");

for (const [theme, name] of Object.entries(THEMES)) {
  const session = await openSession({
    name: "subarray.py",
    text: TEXT,
    completions: COMPLETIONS,
    settings: {
      "workbench.colorTheme": name,
      "workbench.sideBar.visible": false,
      "workbench.activityBar.location": "hidden",
      "breadcrumbs.enabled": false,
      "window.commandCenter": false,
      "editor.fontSize": 15,
      "editor.lineNumbers": "off",
      "codescaler.automatic.enable": false,
    },
  });
  try {
    await pictures(session, theme);
  } finally {
    await session.close();
  }
}

async function pictures({ bench, file }, theme) {
  const { page } = bench;
  const shot = async (name, folder = out, clip = undefined) => {
    await sleep(SETTLE_MS);
    await bench.shot(join(folder, `${name}-${theme}.png`), clip);
  };
  await page.setViewportSize(WIDE);
  await bench.command("View: Toggle Primary Side Bar Visibility");
  await bench.cursorTo(file, 3, 5);
  await bench.command("CodeScaler: Suggest the Best of N");
  await bench.ghostThat("ghost text", (ghost) => ghost !== "");
  await shot("suggest", out, { x: 0, y: 0, ...WIDE, height: 400 });
  await shot("suggest", media, { x: 0, y: 36, width: 760, height: 300 });
  await page.keyboard.press("Tab");
  // A suggestion that is accepted too early stays ghost text.
  await bench.ghostThat("no ghost text", (ghost) => ghost === "");
  const code = bench
    .editor(file)
    .locator(".view-line", { hasText: "return" })
    .last()
    .locator("span span")
    .first();
  const hover = page.locator(".monaco-hover:visible", { hasText: "CodeScaler" }).first();
  await until("the hover", async () => {
    await page.mouse.move(1100, 600);
    await code.hover();
    return appears(hover);
  });
  await shot("hover");
  await page.mouse.move(1100, 600);
  await bench.command("CodeScaler: Compare Candidates");
  await bench.webview().locator("article").first().waitFor();
  await page.mouse.move(300, 500);
  await page.setViewportSize({ ...WIDE, height: 860 });
  await shot("compare");
  await shot("compare", media, { x: 594, y: 64, width: 580, height: 580 });
  await page.setViewportSize(WIDE);
  await bench.command("View: Close Editor");
  await page.locator("#status\\.languageStatus").hover();
  await page.locator(".hover-language-status:visible", { hasText: "nano" }).first().waitFor();
  await shot("language-status");
  await page.mouse.move(300, 500);
  await bench.command("CodeScaler: Show Status and Actions");
  await page.locator(".quick-input-list .monaco-list-row").first().waitFor();
  await shot("status");
  await page.keyboard.press("Escape");
  await page.keyboard.press("F1");
  await bench.quickInput().fill(">CodeScaler: ");
  await page.locator(".quick-input-list .monaco-list-row").first().waitFor();
  await shot("palette");
  await page.keyboard.press("Escape");
  await bench.command("Welcome: Open Walkthrough...");
  const row = page.locator(".quick-input-list .monaco-list-row", { hasText: "CodeScaler" }).first();
  await row.click();
  await page.locator(".getting-started-step.expanded").first().waitFor();
  await shot("walkthrough");
}

if (process.argv.includes("icon")) {
  const { chromium } = await import(
    pathToFileURL(join(root, "test/host/node_modules/playwright-core/index.mjs"))
  );
  const browser = await chromium.launch({
    executablePath: process.env["HOST_BROWSER"],
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
  await page.goto(pathToFileURL(join(root, "media", "icon.svg")).href);
  await page.screenshot({ path: join(root, "media", "icon.png"), omitBackground: true });
  await browser.close();
}
