/** Where an installed GGUF of somebody else came from: kept beside it, since the file itself does not say. */
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { z } from "zod";
import { diskError } from "../files/disk.ts";

const Provenance = z.object({
  repository: z.string(),
  file: z.string(),
  /** Commit of the repository. */
  revision: z.string(),
  /** Hash of the content as the Hub names it. */
  hash: z.string(),
  bytes: z.number().int().positive(),
});
export type Provenance = z.infer<typeof Provenance>;

function pathOf(model: string): string {
  return `${model}.source.json`;
}

/**
 * Undefined where nothing was kept, or the file is not the one that was kept: it has another size.
 * @param model path of the GGUF
 */
export async function readProvenance(model: string): Promise<Provenance | undefined> {
  try {
    const { data } = Provenance.safeParse(JSON.parse(await readFile(pathOf(model), "utf8")));
    return data?.bytes === (await stat(model)).size ? data : undefined;
  } catch {
    return undefined;
  }
}

/** @throws ServiceError disk_failed */
export async function writeProvenance(model: string, provenance: Provenance): Promise<void> {
  await writeFile(pathOf(model), `${JSON.stringify(provenance, null, 2)}\n`).catch((error: unknown) => {
    throw diskError(pathOf(model), error);
  });
}

/** Forgets it, with the model. */
export async function removeProvenance(model: string): Promise<void> {
  await rm(pathOf(model), { force: true });
}
