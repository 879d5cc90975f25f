// What the extension costs in a real VS Code: `node scripts/measure-editor.mjs [host] [typing]` after `npm run build`.
// Activation, latency and memory inside the extension host; time from key to screen with and without the extension.
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { launchBrowser } from "../test/host/browser.mjs";
import { EditorFolder, remoteUri, startEditor, workbenchUrl } from "../test/host/editor.mjs";
import { runSuite } from "../test/host/run-suite.mjs";
import { root } from "./setup.mjs";
import { installHost } from "./vscode-host.mjs";

const TEXT = "total = first + second * third - fourth / fifth ".repeat(4);
/** A fast typist. */
const KEY_DELAY_MS = 40;

const browser = installHost();
const suite = join(root, "test/host/.cache/measure.cjs");
await build({
  entryPoints: [join(root, "test/host/measure/index.ts")],
  outfile: suite,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
  logLevel: "warning",
});
const wanted = process.argv.slice(2);
const wants = (part) => wanted.length === 0 || wanted.includes(part);

console.log(JSON.stringify({ cores: cpus().length, model: cpus()[0]?.model, load: loadavg()[0] }));
if (wants("host") && !(await runSuite(browser, suite))) process.exit(1);
for (const extension of wants("typing") ? [false, true, false, true] : []) {
  const { median, p95 } = await typing(extension);
  const name = `key to screen ${extension ? "with" : "without"} the extension`;
  console.log(JSON.stringify({ name, median, p95, unit: "ms" }));
}

/** Time from a key press until the line on the screen has changed, in the page's own clock. */
async function typing(extension) {
  const folder = new EditorFolder({ "codescaler.automatic.debounce": 0 });
  const file = folder.file("type.py", "\n");
  const editor = await startEditor(folder, { args: ["--vscode-option", "enable-smoke-test-driver"] });
  let context;
  try {
    context = await launchBrowser(browser, folder);
    const page = context.pages()[0] ?? (await context.newPage());
    const payload = [["openFile", remoteUri(editor, file)]];
    if (extension) payload.push(["extensionDevelopmentPath", remoteUri(editor, root)]);
    await page.goto(workbenchUrl(editor, folder.workspace, payload), { waitUntil: "domcontentloaded" });
    const lines = page.locator('.monaco-editor[data-uri$="/type.py"] .view-lines');
    await lines.locator(".view-line").first().waitFor();
    // The extension host is up when the language status of Python is there; it starts after the workbench.
    await page.waitForTimeout(8000);
    await lines.click();
    await page.evaluate(() => {
      const view = document.querySelector('.monaco-editor[data-uri$="/type.py"] .view-lines');
      window.measured = [];
      let pressed;
      window.addEventListener("keydown", () => (pressed = performance.now()), true);
      new MutationObserver(() => {
        if (pressed === undefined) return;
        window.measured.push(performance.now() - pressed);
        pressed = undefined;
      }).observe(view, { childList: true, subtree: true, characterData: true });
    });
    await page.keyboard.type(TEXT, { delay: KEY_DELAY_MS });
    const measured = (await page.evaluate(() => window.measured)).sort((a, b) => a - b);
    const at = (share) => Math.round(measured[Math.floor(measured.length * share)] * 10) / 10;
    return { median: at(0.5), p95: at(0.95) };
  } finally {
    await context?.close();
    await editor.stop();
    folder.dispose();
  }
}
