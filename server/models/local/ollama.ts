/** Ollama's models: manifests name them, blobs hold them. Source: the registry's image format, server/manifest.go of Ollama. */
import { readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import type { FoundModel } from "./found.ts";
import { filesBelow } from "./model-folders.ts";

/** Largest manifest that is read: real ones have one KiB. */
const LARGEST_MANIFEST = 1 << 20;
const MODEL_LAYER = "application/vnd.ollama.image.model";
/** The registry and the namespace that Ollama itself leaves out of a name. */
const USUAL = ["registry.ollama.ai", "library"];

const Manifest = z.object({
  layers: z.array(
    z.object({
      mediaType: z.string(),
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      size: z.number().int().nonnegative(),
    }),
  ),
});

/** @param folder with `manifests` and `blobs` */
export async function ollamaModels(folder: string): Promise<FoundModel[]> {
  const manifests = join(folder, "manifests");
  const models: FoundModel[] = [];
  for (const path of await filesBelow(manifests, () => true)) {
    const layer = await modelLayer(path);
    if (layer === undefined) continue;
    models.push({
      id: `ollama:${nameOf(relative(manifests, path).split(sep))}`,
      path: join(folder, "blobs", layer.digest.replace(":", "-")),
      manager: "ollama",
      bytes: layer.size,
    });
  }
  return models;
}

/** The layer that is the model; undefined where the file is no manifest of one. */
async function modelLayer(path: string) {
  try {
    if ((await stat(path)).size > LARGEST_MANIFEST) return undefined;
    const manifest = Manifest.safeParse(JSON.parse(await readFile(path, "utf8")));
    return manifest.data?.layers.find(({ mediaType }) => mediaType === MODEL_LAYER);
  } catch {
    return undefined;
  }
}

/** HOST/NAMESPACE/MODEL/TAG as Ollama's users write it: `model:tag`, `namespace/model:tag`. */
function nameOf(parts: readonly string[]): string {
  const kept = parts.slice(0, -1).filter((part, index) => part !== USUAL[index]);
  return `${kept.join("/")}:${parts.at(-1) ?? "latest"}`;
}
