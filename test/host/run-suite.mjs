// Runs the mocha suite inside the extension host of a real VS Code, against the extension as built in the checkout.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../scripts/setup.mjs";
import { launchBrowser } from "./browser.mjs";
import { EditorFolder, remoteUri, startEditor, workbenchUrl } from "./editor.mjs";

/** The whole suite; a hang must end before the limit of a CI run. */
const SUITE_TIMEOUT_MS = 300_000;

/** @returns whether every test passed */
export async function runSuite(browserPath, suite) {
  const folder = new EditorFolder();
  // Without this option the editor ignores the keys that name the suite.
  const editor = await startEditor(folder, { args: ["--vscode-option", "enable-smoke-test-driver"] });
  let browser;
  try {
    browser = await launchBrowser(browserPath, folder);
    const page = browser.pages()[0] ?? (await browser.newPage());
    const finished = new Promise((resolve) => {
      page.exposeFunction("codeAutomationExit", (code) => resolve(code === 0 ? "passed" : "failed"));
      page.on("crash", () => resolve("the page crashed"));
    });
    await page.exposeFunction("codeAutomationLog", (_type, args) => {
      const text = args.map(String).join(" ");
      if (text.startsWith("[suite] ") || process.env["DEBUG_HOST"]) console.log(text.replace("[suite] ", ""));
    });
    const payload = [
      ["extensionDevelopmentPath", remoteUri(editor, root)],
      ["extensionTestsPath", remoteUri(editor, suite)],
      ["skipWelcome", "true"],
    ];
    await page.goto(workbenchUrl(editor, folder.workspace, payload), { waitUntil: "domcontentloaded" });
    const outcome = await Promise.race([
      finished,
      sleep(SUITE_TIMEOUT_MS, `no result in ${SUITE_TIMEOUT_MS / 1000} s`, { ref: false }),
    ]);
    if (outcome === "passed") return true;
    console.error(`The suite inside the extension host: ${outcome}.`);
    await page.screenshot({ path: join(root, "test/host/.cache/suite-failed.png") }).catch(() => {});
    return false;
  } finally {
    await browser?.close();
    await editor.stop();
    folder.dispose();
  }
}
