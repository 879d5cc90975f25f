/**
 * Models that other programs keep on this disk: they are used where they lie, never copied, changed or removed.
 *
 * Layouts, from those programs' sources and documentation:
 * - llama.cpp: a flat folder of files named owner_repository_file.gguf (`common/download.cpp`, LLAMA_CACHE).
 * - Hugging Face Hub, and newer llama.cpp: `models--OWNER--NAME/snapshots/REVISION/…`, links to blobs (HF_HUB_CACHE).
 * - LM Studio: `PUBLISHER/REPOSITORY/FILE.gguf`.
 * - Ollama: a manifest a tag, whose layer of the model names a blob that is the GGUF (OLLAMA_MODELS).
 */
import { open, realpath } from "node:fs/promises";
import { ggufFiles } from "./gguf-files.ts";
import { modelFolders } from "./locations.ts";
import { byText } from "./model-folders.ts";
import { ollamaModels } from "./ollama.ts";

/** A program that manages models of its own. Its key starts the names of its models. */
export const MANAGERS = {
  ollama: "Ollama",
  "lm-studio": "LM Studio",
  "llama.cpp": "llama.cpp",
  hub: "Hugging Face cache",
} as const;
export type Manager = keyof typeof MANAGERS;

export interface FoundModel {
  /** Name under which it is asked for, as `ollama:qwen2.5-coder:0.5b` or `hub:qwen2.5-coder-0.5b-q8_0`. */
  readonly id: string;
  readonly path: string;
  readonly manager: Manager;
  /** Of all its parts. */
  readonly bytes: number;
}

/** First bytes of every GGUF. */
const MAGIC = "GGUF";

/** A name that only a model of another program can have. */
export function isFoundName(name: string): boolean {
  const colon = name.indexOf(":");
  return colon > 0 && Object.hasOwn(MANAGERS, name.slice(0, colon));
}

/**
 * All models that other programs have here, by name. A folder that is missing or cannot be read holds none.
 * A file that two programs share is listed once, under the first of them.
 * @param env and platform, home: where to look
 */
export async function findLocalModels(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  home: string,
): Promise<readonly FoundModel[]> {
  const { ollama, files } = modelFolders(env, platform, home);
  const found = [
    ...(await Promise.all(ollama.map(ollamaModels))).flat(),
    ...(await Promise.all(files.map(({ manager, folder }) => ggufFiles(manager, folder)))).flat(),
  ];
  const byFile = new Map<string, FoundModel>();
  for (const model of found) {
    const file = await realpath(model.path).catch(() => undefined);
    if (file === undefined || byFile.has(file) || !(await isGguf(file))) continue;
    byFile.set(file, model);
  }
  return named([...byFile.values()]).sort((a, b) => byText(a.id, b.id));
}

/** Gives models that would have the same name a number each. */
function named(models: readonly FoundModel[]): FoundModel[] {
  const uses = new Map<string, number>();
  return models.map((model) => {
    const use = (uses.get(model.id) ?? 0) + 1;
    uses.set(model.id, use);
    return use === 1 ? model : { ...model, id: `${model.id}~${use}` };
  });
}

async function isGguf(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    if (!(await file.stat()).isFile()) return false;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.toString("latin1") === MAGIC;
  } catch {
    return false;
  }
}
