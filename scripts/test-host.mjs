// Tests inside a real VS Code: `node scripts/test-host.mjs [suite] [ui] [--grep PATTERN] [--times N] [--offline]`, both
// parts by default. `suite` runs mocha in the extension host against dist/; `ui` drives the packaged extension through a
// browser. Installs what it needs. `--times` repeats the tests of the suite: for finding races.
// `--offline` runs `ui` where there is no network but loopback (Linux, as root).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "../test/host/bundle.mjs";
import { root, run } from "./setup.mjs";
import { HostProblem, installHost } from "./vscode-host.mjs";

const { values: only, positionals: wanted } = parseArgs({
  options: { grep: { type: "string" }, times: { type: "string" }, offline: { type: "boolean" } },
  allowPositionals: true,
});
const wants = (part) => wanted.length === 0 || wanted.includes(part);

let browser;
try {
  browser = installHost();
} catch (error) {
  if (!(error instanceof HostProblem)) throw error;
  // Where a person can do something about it the rest of the tests is still worth running; in CI it is a failure.
  console.error(error.message);
  process.exit(process.env["CI"] === "true" ? 1 : 0);
}
if (!existsSync(join(root, "dist", "extension.js"))) {
  run(process.execPath, [join(root, "scripts", "build.mjs")]);
}
const { suite, replay } = await bundle();
if (wants("suite")) {
  const { runRestricted, runSuite } = await import("../test/host/run-suite.mjs");
  if (!(await runSuite(browser, suite, only))) process.exit(1);
  if (!(await runRestricted(browser, suite, only))) process.exit(1);
}
if (wants("ui")) {
  const { packageFor } = await import("./package.mjs");
  const vsix = await packageFor(`${process.platform}-${process.arch}`);
  const files = readdirSync(join(root, "test/host/ui")).filter((file) => file.endsWith(".test.mjs"));
  const alone = only.offline ? ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"'] : [];
  const [command, ...args] = [...alone, process.execPath];
  const { status } = spawnSync(
    command,
    [
      ...args,
      "--test",
      "--test-concurrency=1",
      "--test-reporter=spec",
      ...(only.grep === undefined ? [] : [`--test-name-pattern=${only.grep}`]),
      ...files.map((file) => join(root, "test/host/ui", file)),
    ],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, HOST_BROWSER: browser, HOST_VSIX: vsix, HOST_REPLAY: replay },
    },
  );
  if (status !== 0) process.exit(1);
}
