/**
 * Checks a model's weights once before they are used: 64 changed bytes rank on in silence otherwise. What was checked is
 * kept with what tells that a file is still the same: size, times of change, place on the disk.
 */
import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createPending } from "../files/disk.ts";
import { cacheFolder } from "../files/folders.ts";
import { openError } from "./gguf/read-header.ts";
import { type VerifyOptions, verifyModel } from "./verify-model.ts";

/** Path → the state of the file when it was checked. */
const records = z.record(z.string(), z.string());

/** Files that are remembered: a user has a few. */
const KEPT = 64;

/**
 * Reads the whole file and compares its checksum, unless that was done for the same file before.
 * @throws ServiceError model_unusable where it was changed or has no checksum; the signal's reason
 */
export async function verifyOnce(path: string, options: VerifyOptions = {}): Promise<void> {
  const before = await stateOf(path);
  const known = await readRecords();
  if (known.get(path) === before) return;
  await verifyModel(path, options);
  // Changed meanwhile: what was read is not what is there, and nothing is known of that.
  if ((await stateOf(path)) !== before) return;
  known.delete(path);
  known.set(path, before);
  await writeRecords(new Map([...known].slice(-KEPT)));
}

async function stateOf(path: string): Promise<string> {
  const { size, mtimeNs, ctimeNs, ino, dev } = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw openError(path, error);
  });
  return [size, mtimeNs, ctimeNs, ino, dev].join(" ");
}

function recordFile(): string {
  return join(cacheFolder(), "verified.json");
}

async function readRecords(): Promise<Map<string, string>> {
  try {
    return new Map(Object.entries(records.parse(JSON.parse(await readFile(recordFile(), "utf8")))));
  } catch {
    return new Map();
  }
}

async function writeRecords(all: ReadonlyMap<string, string>): Promise<void> {
  const file = recordFile();
  try {
    await mkdir(dirname(file), { recursive: true });
    const pending = await createPending(file);
    try {
      await pending.write(Buffer.from(`${JSON.stringify(Object.fromEntries(all), undefined, 1)}\n`), 0);
      await pending.commit();
    } catch (error) {
      await pending.discard();
      throw error;
    }
  } catch {
    // A read-only home: models are checked at each start.
  }
}
