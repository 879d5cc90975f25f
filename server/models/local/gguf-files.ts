/** The GGUFs in a folder of files: one model a file, or a file of several parts. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { FoundModel, Manager } from "./found.ts";
import { filesBelow } from "./model-folders.ts";

/** A part of a model in several files; llama.cpp is given the first and finds the others by name. */
const PART = /-(\d{5})-of-(\d{5})\.gguf$/i;
/** The part of a multimodal model that reads pictures: no model by itself. */
const PROJECTOR = /(^|[._-])mmproj/i;

export async function ggufFiles(manager: Manager, folder: string): Promise<FoundModel[]> {
  const paths = await filesBelow(folder, (name) => /\.gguf$/i.test(name) && !PROJECTOR.test(name));
  const models: FoundModel[] = [];
  for (const path of paths) {
    const part = PART.exec(path);
    if (part !== null && Number(part[1]) !== 1) continue;
    const parts = part === null ? [path] : partsOf(path, Number(part[2]));
    const sizes = await Promise.all(
      parts.map((one) =>
        stat(one).then(
          ({ size }) => size,
          () => undefined,
        ),
      ),
    );
    // A part that is missing was not downloaded: the model cannot be loaded.
    if (sizes.some((size) => size === undefined)) continue;
    models.push({
      id: `${manager}:${nameOf(path)}`,
      path,
      manager,
      bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    });
  }
  return models;
}

/** Paths of all parts, from that of the first. */
function partsOf(first: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    first.replace(/-\d{5}-of-/, `-${String(index + 1).padStart(5, "0")}-of-`),
  );
}

/** The file's name in lower case, without its ending and the number of its part. */
function nameOf(path: string): string {
  return basename(path)
    .replace(PART, "")
    .replace(/\.gguf$/i, "")
    .toLowerCase();
}
