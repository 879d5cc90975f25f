/**
 * Fits of models: how their judgement is combined with the other signals. Those that come with the package are in
 * media/fits.json; one that was fitted on this machine (`models fit`) is in `.fits/KEY.json` beside the models and
 * counts instead. By a key of the file's content, so that a model that is replaced under its name does not get its
 * predecessor's; beside the file, since growing a header would rewrite gigabytes.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ServiceError } from "../errors.ts";
import { createPending, diskError } from "../files/disk.ts";
import { modelFolder } from "../files/folders.ts";
import { readJson, unusable } from "../files/json-file.ts";
import { mediaFolder } from "../files/package-files.ts";
import { type Fit, fit } from "../ranking/fit.ts";

const FOLDER = ".fits";
const SHIPPED = "fits.json";
/** Keys become file names. */
const KEY = /^[0-9a-f]{8,64}$/;

const shipped = z.record(z.string(), z.object({ model: z.string(), fit }));

/**
 * The fit of a model; undefined where there is none.
 * @param key checksum of a reward model, revision of a language model; undefined for a file that has none
 * @throws ServiceError model_unusable when a kept one cannot be read
 */
export async function readFit(
  key: string | undefined,
  folder: string = modelFolder(),
): Promise<Fit | undefined> {
  if (key === undefined || !KEY.test(key)) return undefined;
  const own = await readJson(join(folder, FOLDER), `${key}.json`);
  if (own !== undefined) {
    const { data } = fit.safeParse(own);
    if (data) return data;
    throw unusable(join(folder, FOLDER, `${key}.json`), "holds no fit. Delete it, or fit the model again.");
  }
  const all = shipped.safeParse(await readJson(mediaFolder, SHIPPED));
  return all.data?.[key]?.fit;
}

/**
 * Keeps a fit for this very model; it is used whenever the model is loaded from now on.
 * @returns where it is kept
 * @throws ServiceError model_unusable for a file without a key, disk_failed
 */
export async function keepFit(
  key: string | undefined,
  fitted: Fit,
  folder: string = modelFolder(),
): Promise<string> {
  const path = await place(key, folder);
  const pending = await createPending(path);
  try {
    await pending.write(Buffer.from(`${JSON.stringify(fitted, null, 2)}\n`), 0);
    await pending.commit();
  } catch (error) {
    await pending.discard();
    throw error;
  }
  return path;
}

/** Forgets it: the fit that came with the package counts again, or none. */
export async function forgetFit(key: string | undefined, folder: string = modelFolder()): Promise<void> {
  const path = await place(key, folder);
  await rm(path, { force: true }).catch((error: unknown) => {
    throw diskError(path, error);
  });
}

async function place(key: string | undefined, folder: string): Promise<string> {
  if (key === undefined || !KEY.test(key)) {
    throw new ServiceError(
      "model_unusable",
      "The model's file has no checksum to know it by. Convert or pull the model again.",
    );
  }
  const kept = join(folder, FOLDER);
  await mkdir(kept, { recursive: true }).catch((error: unknown) => {
    throw diskError(kept, error);
  });
  return join(kept, `${key}.json`);
}
