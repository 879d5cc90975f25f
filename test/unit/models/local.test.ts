/** Models of other programs, in folders laid out as those programs lay them out. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { findLocalModels, isFoundName } from "../../../server/models/local/found.ts";
import { modelFolders } from "../../../server/models/local/locations.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";

let home: string;
beforeEach(() => {
  home = temporaryFolder();
});

function file(path: string, content = "GGUF and more"): string {
  const full = join(home, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

const find = (env: NodeJS.ProcessEnv = {}) => findLocalModels(env, "linux", home);
const ids = async (env: NodeJS.ProcessEnv = {}) => (await find(env)).map(({ id }) => id);

const DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

function ollama(manifest: string, digest = DIGEST): string {
  file(
    `.ollama/models/manifests/${manifest}`,
    JSON.stringify({
      schemaVersion: 2,
      layers: [
        { mediaType: "application/vnd.ollama.image.license", digest: `sha256:${"0".repeat(64)}`, size: 7 },
        { mediaType: "application/vnd.ollama.image.model", digest: `sha256:${digest}`, size: 13 },
      ],
    }),
  );
  return file(`.ollama/models/blobs/sha256-${digest}`);
}

describe("models of other programs", () => {
  test("Ollama's are found through their manifests, under the names Ollama gives them", async () => {
    const blob = ollama("registry.ollama.ai/library/qwen2.5-coder/0.5b");
    expect(await find()).toEqual([
      { id: "ollama:qwen2.5-coder:0.5b", path: blob, manager: "ollama", bytes: 13 },
    ]);
  });
  test("a model of somebody's own namespace or registry keeps that in its name", async () => {
    ollama("registry.ollama.ai/someone/coder/latest");
    expect(await ids()).toEqual(["ollama:someone/coder:latest"]);
  });
  test("two tags of one blob are one model", async () => {
    ollama("registry.ollama.ai/library/coder/0.5b");
    ollama("registry.ollama.ai/library/coder/latest");
    expect(await ids()).toEqual(["ollama:coder:0.5b"]);
  });
  test("llama.cpp's and LM Studio's are found by their files", async () => {
    file(".cache/llama.cpp/ggml-org_Qwen2.5-Coder-0.5B-Q8_0-GGUF_qwen2.5-coder-0.5b-q8_0.gguf");
    file(".cache/llama.cpp/manifest=ggml-org=Qwen2.5.json", "{}");
    file(".lmstudio/models/lmstudio-community/Mellum-4b-GGUF/mellum-4b-Q4_K_M.gguf");
    expect(await ids()).toEqual([
      "llama.cpp:ggml-org_qwen2.5-coder-0.5b-q8_0-gguf_qwen2.5-coder-0.5b-q8_0",
      "lm-studio:mellum-4b-q4_k_m",
    ]);
  });
  test("the Hub's are links to blobs", async () => {
    const blob = file(".cache/huggingface/hub/models--Qwen--Coder/blobs/abc");
    const link = join(home, ".cache/huggingface/hub/models--Qwen--Coder/snapshots/1f/coder-q4_k_m.gguf");
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(blob, link);
    expect(await find()).toEqual([{ id: "hub:coder-q4_k_m", path: link, manager: "hub", bytes: 13 }]);
  });
  test("a model in parts is one model, and none while a part is missing", async () => {
    file(".lmstudio/models/a/b/big-00001-of-00002.gguf");
    expect(await ids()).toEqual([]);
    file(".lmstudio/models/a/b/big-00002-of-00002.gguf");
    expect(await find()).toMatchObject([{ id: "lm-studio:big", bytes: 26 }]);
  });
  test("files of the same name are told apart", async () => {
    file(".lmstudio/models/a/one/model.gguf");
    file(".lmstudio/models/b/two/model.gguf");
    expect(await ids()).toEqual(["lm-studio:model", "lm-studio:model~2"]);
  });
  test("what is no model is not listed: a projector, another file with that ending, a dangling link, nonsense", async () => {
    file(".lmstudio/models/a/b/mmproj-model-f16.gguf");
    file(".lmstudio/models/a/b/empty.gguf", "");
    file(".lmstudio/models/a/b/page.gguf", "<!DOCTYPE html>");
    file(".ollama/models/manifests/registry.ollama.ai/library/broken/latest", "not JSON");
    file(
      ".ollama/models/manifests/registry.ollama.ai/library/outside/latest",
      JSON.stringify({
        layers: [{ mediaType: "application/vnd.ollama.image.model", digest: "../../x", size: 1 }],
      }),
    );
    symlinkSync(join(home, "nowhere"), join(home, ".lmstudio/models/a/b/gone.gguf"));
    expect(await ids()).toEqual([]);
  });
  test("a folder that is missing or closed to this user holds none", async () => {
    expect(await ids()).toEqual([]);
    file(".lmstudio/models/a/b/model.gguf");
    chmodSync(join(home, ".lmstudio/models/a"), 0);
    if (process.getuid?.() !== 0) expect(await ids()).toEqual([]);
    chmodSync(join(home, ".lmstudio/models/a"), 0o755);
  });
  test("a link in a circle ends", async () => {
    file(".lmstudio/models/a/b/model.gguf");
    symlinkSync(join(home, ".lmstudio/models"), join(home, ".lmstudio/models/a/again"));
    expect(await ids()).toEqual(["lm-studio:model"]);
  });
});

describe("where they are looked for", () => {
  test("the programs' own variables decide", async () => {
    file("models/coder.gguf");
    expect(await ids({ LLAMA_CACHE: join(home, "models") })).toEqual(["llama.cpp:coder"]);
    const folders = modelFolders({ HF_HOME: "/hf", OLLAMA_MODELS: "/o" }, "linux", "/home/me");
    expect(folders.ollama).toEqual(["/o"]);
    expect(folders.files.at(-1)).toEqual({ manager: "hub", folder: join("/hf", "hub") });
  });
  test("a Mac and Windows have folders of their own", () => {
    expect(JSON.stringify(modelFolders({}, "darwin", "/Users/me"))).toContain("Library/Caches/llama.cpp");
    expect(modelFolders({ LOCALAPPDATA: "/local" }, "win32", "/me").files).toContainEqual({
      manager: "llama.cpp",
      folder: join("/local", "llama.cpp"),
    });
  });
});

test("names of found models cannot be mistaken for installed ones", () => {
  expect(isFoundName("ollama:coder:0.5b")).toBe(true);
  expect(isFoundName("codescaler-1.7b")).toBe(false);
  expect(isFoundName("constructor:x")).toBe(false);
});
