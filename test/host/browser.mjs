// A Chromium with a fresh profile that reaches nothing but this machine.
import { createRequire } from "node:module";
import { join } from "node:path";
import { host } from "../../scripts/vscode-host.mjs";
import { PATIENCE_MS } from "./editor.mjs";

const { chromium } = createRequire(join(host.modules, "here.js"))("playwright-core");

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // /dev/shm is 64 MB in containers.
  "--disable-dev-shm-usage",
];

/** @returns a browser context of playwright with one page, every wait bounded by PATIENCE_MS */
export async function launchBrowser(executablePath, folder, viewport = { width: 1280, height: 800 }) {
  const isRoot = process.getuid?.() === 0;
  const context = await chromium.launchPersistentContext(join(folder.path, "chrome"), {
    executablePath,
    headless: true,
    args: isRoot ? ["--no-sandbox", ...FLAGS] : FLAGS,
    viewport,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.route(
    (url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1",
    (route) => route.abort(),
  );
  return context;
}
