// code-server in a temporary folder of its own: started, given settings, stopped.
import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { host } from "../../scripts/vscode-host.mjs";

/** Everything that a loaded machine of two cores may be slow at gets this long. */
export const PATIENCE_MS = 150_000;

/** Quiet: nothing of the editor itself opens, asks, updates or completes. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "chat.disableAIFeatures": true,
  "chat.commandCenter.enabled": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
  "npm.autoDetect": "off",
  "files.autoSave": "off",
  "window.confirmBeforeClose": "never",
  "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" },
  "editor.minimap.enabled": false,
  // Only our own request may wake the provider.
  "editor.suggestOnTriggerCharacters": false,
};

/** An editor's folder: its settings, extensions, workspace. `dispose` removes it. */
export class EditorFolder {
  path = mkdtempSync(join(tmpdir(), "codescaler-host-"));
  workspace = join(this.path, "workspace");
  /** Of models and of the reward server's lease: a server of this editor's own, which ends when the folder is gone. */
  home = join(this.path, "home");
  #settings = SETTINGS;

  constructor(settings = {}) {
    for (const part of ["data/User", "data/Machine", "extensions", "workspace"]) {
      mkdirSync(join(this.path, part), { recursive: true });
    }
    writeFileSync(join(this.path, "config.yaml"), "auth: none\ncert: false\n");
    this.set(settings);
  }

  /** Changes settings of the user; a running editor notices. `undefined` removes one. */
  set(settings) {
    this.#settings = { ...this.#settings, ...settings };
    // A remote editor takes settings of machine scope from the second file only.
    for (const place of ["User", "Machine"]) {
      writeFileSync(join(this.path, "data", place, "settings.json"), JSON.stringify(this.#settings, null, 2));
    }
  }

  /** Puts a file into the workspace. @returns its path */
  file(name, text) {
    const path = join(this.workspace, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  install(vsix) {
    execFileSync(host.node, [...this.arguments(), "--install-extension", vsix], {
      env: environment(),
      // Shown when it fails only: it complains of a logger that was not built.
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Installs an extension that needs no building. */
  addExtension(folder) {
    const { publisher, name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    cpSync(folder, join(this.path, "extensions", `${publisher}.${name}-${version}`), { recursive: true });
  }

  arguments() {
    const at = (part) => join(this.path, part);
    return [
      host.entry,
      ...["--config", at("config.yaml"), "--user-data-dir", at("data"), "--extensions-dir", at("extensions")],
    ];
  }

  dispose() {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

/**
 * Starts code-server in a folder and waits until it serves the workbench.
 * @param options.trusted false: every workspace opens in Restricted Mode, if the settings leave trust on
 * @returns its address and `stop`, which resolves when it is gone
 */
export async function startEditor(folder, { args = [], env = {}, trusted = true } = {}) {
  const port = await freePort();
  const authority = `127.0.0.1:${port}`;
  const log = join(folder.path, "editor.log");
  const output = openSync(log, "a");
  const child = spawn(
    host.node,
    [
      ...folder.arguments(),
      ...["--auth", "none", "--bind-addr", authority],
      "--disable-telemetry",
      "--disable-update-check",
      ...(trusted ? ["--disable-workspace-trust"] : []),
      "--disable-getting-started-override",
      "--ignore-last-opened",
      ...args,
    ],
    // A process group of its own, so that its extension host ends with it.
    {
      env: environment({ CODESCALER_HOME: folder.home, ...env }),
      detached: true,
      stdio: ["ignore", output, output],
    },
  );
  closeSync(output);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    signalGroup(child, "SIGTERM");
    await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
    signalGroup(child, "SIGKILL");
    await ended;
  };
  const problem = (what) =>
    new Error(`${what}\n${existsSync(log) ? readFileSync(log, "utf8").slice(-2000) : ""}`);
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    if (child.exitCode !== null) throw problem("code-server ended.");
    // Its health check answers before the editor inside can be loaded: the page itself says more.
    const page = await fetch(`http://${authority}/?folder=/`).then(
      (reply) => reply.text(),
      () => "",
    );
    if (page.includes("vscode-workbench-web-configuration")) break;
    if (Date.now() > until) {
      await stop();
      throw problem("code-server does not serve the workbench.");
    }
    await sleep(100);
  }
  return { authority, pid: child.pid, stop, log: () => readFileSync(log, "utf8") };
}

/** Address of the workbench with a folder; the payload is what a command line would say. */
export function workbenchUrl({ authority }, folder, payload) {
  const query = `folder=${encodeURIComponent(folder)}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
  return `http://${authority}/?${query}`;
}

export function remoteUri({ authority }, path) {
  return `vscode-remote://${authority}${path}`;
}

/** The environment without what belongs to an editor or an npm that these tests may be run from. */
function environment(extra = {}) {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|CODE_SERVER|npm_)/i.test(name),
  );
  return { ...Object.fromEntries(own), ...extra };
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone already.
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
