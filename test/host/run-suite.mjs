// Runs the mocha suite inside the extension host of a real VS Code, against the extension as built in the checkout.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../scripts/setup.mjs";
import { launchBrowser } from "./browser.mjs";
import { EditorFolder, freePort, remoteUri, startEditor, workbenchUrl } from "./editor.mjs";

/** The whole suite; a hang must end before the limit of a CI run. */
const SUITE_TIMEOUT_MS = 480_000;

/**
 * @param options.grep only tests whose names match, and `times` how often each
 * @returns whether every test passed
 */
export async function runSuite(browserPath, suite, { grep = "", times = "1" } = {}) {
  return inHost(browserPath, suite, { env: { HOST_GREP: grep, HOST_TIMES: times } });
}

/** The same for the tests in a workspace that is not trusted and wants to decide what it must not. */
export async function runRestricted(browserPath, suite, { grep = "", times = "1" } = {}) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return inHost(browserPath, suite, {
    env: { HOST_GREP: grep, HOST_TIMES: times, HOST_TRAP_PORT: String(port) },
    trusted: false,
    settings: {
      "security.workspace.trust.enabled": true,
      "security.workspace.trust.startupPrompt": "never",
      "security.workspace.trust.untrustedFiles": "open",
    },
    workspaceSettings: {
      "codescaler.sources": [{ id: "trap", kind: "openai", url, model: "coder" }],
      "codescaler.server.url": url,
      "codescaler.rewardModel": "/nowhere/trap.gguf",
      "codescaler.secretFiles": [],
      "codescaler.automatic.candidates": 2,
    },
  });
}

async function inHost(browserPath, suite, { env, settings = {}, workspaceSettings, trusted = true }) {
  const folder = new EditorFolder(settings);
  folder.addExtension(join(root, "test/host/fake-models"));
  if (workspaceSettings) folder.file(".vscode/settings.json", JSON.stringify(workspaceSettings));
  const editor = await startEditor(folder, {
    // Without this option the editor ignores the keys that name the suite.
    args: ["--vscode-option", "enable-smoke-test-driver"],
    env,
    trusted,
  });
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
      sleep(SUITE_TIMEOUT_MS * Number(env.HOST_TIMES), "no result in time", { ref: false }),
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
