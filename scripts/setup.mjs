// Brings node_modules in line with package-lock.json when it is not; quick when it is.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a program in the project's root with our own stdio; when it fails, so do we: it has said why. */
export function run(command, args, options = {}) {
  try {
    execFileSync(command, args, { cwd: root, stdio: "inherit", ...options });
  } catch (error) {
    console.error(
      `"${[command, ...args].join(" ")}" failed (${error.status ?? error.code ?? error.signal}).`,
    );
    process.exit(typeof error.status === "number" ? error.status : 1);
  }
}

/** Runs npm: the one that runs this script, where one does. */
export function npm(args, options = {}) {
  const own = process.env.npm_execpath;
  if (own?.endsWith(".js")) run(process.execPath, [own, ...args], options);
  else {
    const windows = process.platform === "win32";
    run(windows ? "npm.cmd" : "npm", args, { shell: windows, ...options });
  }
}

/** Installs exactly what the lock file names, unless that was done already on this platform. */
export function setup() {
  const [major] = process.versions.node.split(".").map(Number);
  if (major < 20) {
    console.error(`Node ${process.versions.node} is too old: install Node 20 or newer.`);
    process.exit(1);
  }
  const stamp = join(root, "node_modules", ".codescaler-setup");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform}-${process.arch}-${major}`)
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("Installing the packages of package-lock.json (npm ci, about 0.8 GB unpacked, once) …");
  npm(["ci", "--no-audit", "--no-fund"]);
  writeFileSync(stamp, wanted);
}
