/** Unfinished downloads: a folder per repository beside the models, which no list of models shows. */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PART, type RemoteFile } from "../../downloads/download-file.ts";
import { ServiceError } from "../../errors.ts";
import { createPending, diskError, errorCode } from "../../files/disk.ts";
import { takeLock } from "../../files/file-lock.ts";
import { asObject, asString, parseObject } from "../../files/json-file.ts";
import { REPOSITORY } from "./hub.ts";

/** Hidden, so that the store does not take it for a model. */
const DOWNLOADS = ".downloads";
/** Which content each file of the folder is meant to become: name → hash. */
const PLAN = "plan.json";

export interface Staging {
  /** Holds the finished files under their own names: a Hugging Face folder. */
  readonly folder: string;
  /** Bytes of these files that are here already. */
  present(files: readonly RemoteFile[]): Promise<number>;
  /** Forgets what belongs to another content than these files have now. */
  keepOnly(files: readonly RemoteFile[]): Promise<void>;
  /** Removes everything that was downloaded. */
  clear(): Promise<void>;
  /** Lets other processes in again. What was downloaded stays. */
  release(): Promise<void>;
}

export interface UnfinishedDownload {
  readonly repository: string;
  readonly bytes: number;
}

/**
 * Opens the folder for one repository.
 * @throws ServiceError disk_failed; download_failed while another process downloads the same repository
 */
export async function openStaging(modelFolder: string, repository: string): Promise<Staging> {
  const name = folderName(repository);
  const folder = join(modelFolder, DOWNLOADS, name);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw diskError(folder, error);
  });
  const lock = await takeLock(`${folder}.lock`).catch((error: unknown) => {
    throw diskError(folder, error);
  });
  if (lock === undefined) {
    throw new ServiceError(
      "download_failed",
      `${repository} is being downloaded by another window or terminal. Wait for it, or stop it there.`,
    );
  }
  return {
    folder,
    async present(files) {
      const sizes = await Promise.all(files.map(({ path }) => sizeOf(join(folder, path))));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    async keepOnly(files) {
      const plan = new Map(files.map(({ path, hash }) => [path, hash.value]));
      const before = await readPlan(folder);
      for (const path of await readdir(folder)) {
        const file = path.endsWith(PART) ? path.slice(0, -PART.length) : path;
        if (path === PLAN || (plan.has(file) && plan.get(file) === before.get(file))) continue;
        await rm(join(folder, path), { recursive: true, force: true });
      }
      const text = Buffer.from(`${JSON.stringify(Object.fromEntries(plan), undefined, 2)}\n`);
      const pending = await createPending(join(folder, PLAN));
      try {
        await pending.write(text, 0);
        await pending.commit();
      } catch (error) {
        await pending.discard();
        throw error;
      }
    },
    async clear() {
      await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
        throw diskError(folder, error);
      });
    },
    async release() {
      await lock.release();
    },
  };
}

/** Downloads that were begun and not finished, with the bytes they take. */
export async function unfinishedDownloads(modelFolder: string): Promise<UnfinishedDownload[]> {
  const base = join(modelFolder, DOWNLOADS);
  const found: UnfinishedDownload[] = [];
  for (const entry of await readdir(base, { withFileTypes: true }).catch(ifMissing)) {
    const repository = entry.name.replace("--", "/");
    if (!entry.isDirectory() || !REPOSITORY.test(repository)) continue;
    const folder = join(base, entry.name);
    const sizes = await Promise.all(
      (await readdir(folder).catch(ifMissing)).map(async (file) =>
        stat(join(folder, file)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    found.push({ repository, bytes: sizes.reduce((sum, size) => sum + size, 0) });
  }
  return found;
}

/** Bytes of a file, finished or not. */
async function sizeOf(path: string): Promise<number> {
  for (const candidate of [path, path + PART]) {
    const stats = await stat(candidate).catch(() => undefined);
    if (stats !== undefined) return stats.size;
  }
  return 0;
}

async function readPlan(folder: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(folder, PLAN), "utf8").catch(() => "{}");
  const plan = new Map<string, string>();
  for (const [path, hash] of Object.entries(asObject(parseObject(text)) ?? {})) {
    const value = asString(hash);
    if (value !== undefined) plan.set(path, value);
  }
  return plan;
}

/** The Hub forbids "--" in names, so this can be undone. */
function folderName(repository: string): string {
  return repository.replace("/", "--");
}

function ifMissing(error: unknown): never[] {
  if (errorCode(error) === "ENOENT") return [];
  throw error;
}
