/**
 * Calibrations that were fitted on this machine (`models calibrate`), beside the models: `.calibrations/CHECKSUM.json`.
 * Not inside the GGUF: growing its header would rewrite gigabytes, and the file would no longer have the checksum it
 * came with, nor could an embedded model be calibrated. By checksum, so that a model that is replaced under its name
 * does not get its predecessor's.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../errors.ts";
import { createPending, diskError } from "../files/disk.ts";
import { modelFolder } from "../files/folders.ts";
import { asNumber, readJson, unusable } from "../files/json-file.ts";
import type { TokenizerFile } from "./model-file.ts";

const FOLDER = ".calibrations";

/** What is kept; the counts are for people. */
export interface FittedCalibration {
  readonly slope: number;
  readonly intercept: number;
  readonly problems: number;
  readonly samples: number;
}

type Calibrated = Pick<TokenizerFile, "path" | "checksum" | "calibration">;

/**
 * The model with the calibration that was fitted here, if there is one, instead of its own.
 * @throws ServiceError model_unusable when it cannot be read
 */
export async function withFittedCalibration<File extends Calibrated>(
  file: File,
  folder: string = modelFolder(),
): Promise<File> {
  if (file.checksum === undefined) return file;
  const kept = join(folder, FOLDER);
  const json = await readJson(kept, `${file.checksum}.json`);
  if (json === undefined) return file;
  const slope = asNumber(json["slope"]);
  const intercept = asNumber(json["intercept"]);
  if (slope === undefined || intercept === undefined) {
    throw unusable(join(kept, `${file.checksum}.json`), "holds no calibration. Delete it, or fit it again.");
  }
  return { ...file, calibration: { slope, intercept } };
}

/**
 * Keeps a calibration for this very model; it is used whenever the model is loaded from now on.
 * @returns where it is kept
 * @throws ServiceError model_unusable for a file without a checksum, disk_failed
 */
export async function keepCalibration(
  file: Calibrated,
  fitted: FittedCalibration,
  folder: string = modelFolder(),
): Promise<string> {
  const path = await place(file, folder);
  const pending = await createPending(path);
  try {
    await pending.write(Buffer.from(`${JSON.stringify(fitted)}\n`), 0);
    await pending.commit();
  } catch (error) {
    await pending.discard();
    throw error;
  }
  return path;
}

/** Forgets it: the model's own counts again. */
export async function forgetCalibration(file: Calibrated, folder: string = modelFolder()): Promise<void> {
  const path = await place(file, folder);
  await rm(path, { force: true }).catch((error: unknown) => {
    throw diskError(path, error);
  });
}

async function place(file: Calibrated, folder: string): Promise<string> {
  if (file.checksum === undefined) {
    throw new ServiceError(
      "model_unusable",
      `${file.path} has no checksum to know it by. Convert the model again.`,
    );
  }
  const kept = join(folder, FOLDER);
  await mkdir(kept, { recursive: true }).catch((error: unknown) => {
    throw diskError(kept, error);
  });
  return join(kept, `${file.checksum}.json`);
}
