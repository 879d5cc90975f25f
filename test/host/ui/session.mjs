// One editor with the packaged extension, one browser, one replayed endpoint: what the UI tests share.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../../scripts/setup.mjs";
import { host } from "../../../scripts/vscode-host.mjs";
import { launchBrowser } from "../browser.mjs";
import { EditorFolder, startEditor } from "../editor.mjs";
import { Workbench } from "../workbench.mjs";

/**
 * Installs the package and opens a file.
 * @param options.text of the file, `settings` of the user besides the source, and the `key` that the source wants
 */
export async function openSession({ name, text, completions, key, settings = {} }) {
  const { startReplay } = await import(process.env["HOST_REPLAY"]);
  const replay = await startReplay({ vendor: "openai", completions, key });
  const folder = new EditorFolder({
    "codescaler.sources": [{ id: "replay", kind: "openai", url: replay.url, model: "coder", label: "coder" }],
    "codescaler.candidates": completions.length,
    ...settings,
  });
  const file = folder.file(name, text);
  folder.install(process.env["HOST_VSIX"]);
  // No Node and no npm on the path: the server must run on the editor's own.
  const empty = join(folder.path, "empty");
  mkdirSync(empty);
  const editor = await startEditor(folder, { env: { PATH: empty } });
  const context = await launchBrowser(process.env["HOST_BROWSER"], folder);
  const bench = await Workbench.open(context, editor, folder, file);
  return {
    bench,
    file,
    folder,
    replay,
    async close() {
      await context.close();
      await editor.stop();
      await replay.close();
      folder.dispose();
    },
  };
}

/** A test that leaves a picture of the workbench where it failed. */
export function scenario(name, session, body) {
  test(name, async () => {
    try {
      await body(session());
    } catch (error) {
      const picture = join(root, "test/host/.cache", `${name.replace(/\W+/g, "-").slice(0, 60)}.png`);
      await session()
        ?.bench.shot(picture)
        .catch(() => {});
      throw new Error(`${error.message}\nSee ${picture}`, { cause: error });
    }
  });
}

/** The ranking that the installed extension's own server gives on the command line. */
export function rankedByServer(folder, { language, prefix, suffix, texts, model }) {
  const extensions = join(folder.path, "extensions");
  const extension = readdirSync(extensions).find((name) => name.startsWith("codescaler.codescaler-"));
  const files = join(folder.path, "ranked");
  mkdirSync(files, { recursive: true });
  const put = (name, text) => {
    const path = join(files, name);
    writeFileSync(path, text);
    return path;
  };
  const candidates = texts.map((text, index) => put(`c${index}`, text));
  const output = execFileSync(
    host.node,
    [
      join(extensions, extension, "dist", "server.js"),
      "rank",
      ...["--prefix", put("prefix", prefix), "--suffix", put("suffix", suffix)],
      ...["--language", language, "--json"],
      ...(model === undefined ? [] : ["--model", model]),
      ...candidates,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  return JSON.parse(output).candidates;
}
