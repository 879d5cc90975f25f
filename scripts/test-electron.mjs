// The in-host suite in a desktop VS Code, where one can be downloaded: `npm run test:electron`.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTests } from "@vscode/test-electron";
import { bundle } from "../test/host/bundle.mjs";
import { root, run, setup } from "./setup.mjs";
import { installMocha } from "./vscode-host.mjs";

setup();
run(process.execPath, [join(root, "scripts", "build.mjs")]);
installMocha();
const { suite } = await bundle();
const profile = mkdtempSync(join(tmpdir(), "codescaler-electron-"));
await runTests({
  extensionDevelopmentPath: root,
  extensionTestsPath: suite,
  launchArgs: [
    profile,
    "--disable-extensions",
    "--disable-workspace-trust",
    `--user-data-dir=${profile}/data`,
  ],
});
