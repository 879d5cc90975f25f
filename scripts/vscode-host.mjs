// A real VS Code for the tests: code-server from the npm registry and a Chromium of the system.
// `node scripts/vscode-host.mjs` installs what is missing; quick when nothing is.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm, root } from "./setup.mjs";

const folder = join(root, "test", "host");
const modules = join(folder, "node_modules");
const codeServer = join(modules, "code-server");
const editor = join(codeServer, "lib", "vscode");
const nodeFolder = join(modules, `node-linux-${process.arch}`);

/** What the tests start. `node` is the version that code-server wants, not the one that runs this. */
export const host = {
  node: join(nodeFolder, "bin", "node"),
  entry: join(codeServer, "out", "node", "entry.js"),
  modules,
};

/** Where distributions put a Chromium; CHROME_PATH names another. */
const BROWSERS = [
  process.env["CHROME_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/opt/google/chrome/chrome",
];

/** Parts of the editor that no test of an extension touches; together half of its size. */
const UNUSED = [
  "@github/copilot-sdk-linux-x64",
  "@github/copilot-sdk/node_modules/@koromix",
  "@microsoft/mxc-sdk",
  "@vscode/windows-process-tree",
];

/** Something that only the user can put right; shown without a stack trace. */
export class HostProblem extends Error {}

/**
 * Installs code-server, its Node and a browser where they are missing.
 * @returns the browser's path
 * @throws HostProblem in one sentence with the way out
 */
export function installHost() {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    throw new HostProblem(
      `The tests inside VS Code run code-server, which needs Linux on x64 or arm64; this is ${process.platform} on ${process.arch}. Run “npm run test:electron” instead.`,
    );
  }
  installEditor();
  return findBrowser() ?? installBrowser();
}

function installEditor() {
  const stamp = join(modules, ".codescaler-host");
  const wanted = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .update(`${process.arch} ${UNUSED}`)
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("Installing code-server for the tests into test/host/node_modules (about 0.6 GB, once) …");
  npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder });
  // Its own lock file is out of step with its package.json, so “npm ci” would refuse.
  const env = { ...process.env, PATH: join(nodeFolder, "bin") + delimiter + process.env["PATH"] };
  npm(
    ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error"],
    { cwd: editor, env },
  );
  for (const name of UNUSED) rmSync(join(editor, "node_modules", name), { recursive: true, force: true });
  keepOwnPlatform(join(editor, "node_modules", "@vscode", "ripgrep-universal", "bin"));
  keepOwnPlatform(join(editor, "node_modules", "node-pty", "prebuilds"));
  writeFileSync(stamp, wanted);
}

function keepOwnPlatform(parent) {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (name !== `linux-${process.arch}`) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Installs what the in-host suite itself needs, for editors that are not ours to install. */
export function installMocha() {
  if (existsSync(join(modules, "mocha"))) return;
  npm(["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
  });
}

function findBrowser() {
  return BROWSERS.find((path) => path && spawnSync(path, ["--version"], { stdio: "ignore" }).status === 0);
}

function installBrowser() {
  const wayOut =
    "The tests inside VS Code need Chromium or Chrome: install one (Debian and Ubuntu: “sudo apt-get install chromium”), or set CHROME_PATH to its program.";
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status !== 0) {
    throw new HostProblem(wayOut);
  }
  console.error("Installing Chromium with apt-get (once) …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...args) => execFileSync("apt-get", ["-qq", ...args], { env, stdio: ["ignore", 2, 2] });
  try {
    apt("update");
    apt("install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core");
  } catch {
    throw new HostProblem(`apt-get could not install Chromium. ${wayOut}`);
  }
  const found = findBrowser();
  if (!found) throw new HostProblem(`The Chromium that apt-get installed does not start. ${wayOut}`);
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(`Ready: ${host.entry} with ${installHost()}`);
  } catch (error) {
    if (!(error instanceof HostProblem)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
