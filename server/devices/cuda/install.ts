/**
 * Adds the CUDA build to those of the package, and takes it away again. It appears only complete and with the content
 * that this program knows; whatever stops the work, the next call continues the download.
 */

import { mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { renameFile } from "../../../shared/rename-file.ts";
import { downloadFile, PART } from "../../downloads/download-file.ts";
import type { Site } from "../../downloads/site.ts";
import { ServiceError } from "../../errors.ts";
import { diskError, errorCode, folderBytes, requireSpace } from "../../files/disk.ts";
import { type FileLock, takeLock } from "../../files/file-lock.ts";
import { buildFolder } from "../../files/folders.ts";
import { BUILD_VERSION } from "../build-version.ts";
import { addedBuild, cudaFolder, MANIFEST, type Manifest } from "./added.ts";
import { type Archive, findArchive } from "./npm-registry.ts";
import type { CudaBuild } from "./packages.ts";
import { readArchive } from "./tar.ts";

export interface InstallOptions {
  readonly registry: Site;
  readonly build: CudaBuild;
  readonly signal: AbortSignal;
  /** Folder of added builds. */
  readonly folder?: string;
  /** As in `process.platform` and `process.arch`, with "-" between. */
  readonly platform?: string;
  readonly onProgress?: (progress: InstallProgress) => void;
}

export interface InstallProgress {
  readonly step: "download" | "unpack";
  readonly done: number;
  readonly total: number;
}

export interface Installed {
  readonly folder: string;
  /** False when it was installed already. */
  readonly fetched: boolean;
}

/** Finished and unfinished archives. */
const DOWNLOADS = ".downloads";
/** What is being unpacked, and what is being removed. */
const ASIDE = /^\.cuda-.*\.(partial|old)$/;
/** The package's libraries, and those of the second package that replace them. */
const LIBRARY = /^package\/bins\/[^/]+\/(?:fallback\/)?([^/]+\.(?:so|dll))$/;
/** Of no use here: helpers for llama.cpp's own programs. */
const UNUSED = /llama-common/;

/**
 * Downloads, checks and unpacks.
 * @throws ServiceError download_failed, disk_failed; the signal's reason when aborted
 */
export async function installCuda(options: InstallOptions): Promise<Installed> {
  const { registry, build, signal, folder = buildFolder() } = options;
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  const target = cudaFolder(folder);
  return locked(folder, async () => {
    await removeAside(folder);
    const [system, arch] = platform.split("-");
    const present = addedBuild(system, arch, target);
    const downloads = join(folder, DOWNLOADS);
    if (present?.cudaMajor === build.cudaMajor) {
      await rm(downloads, { recursive: true, force: true });
      return { folder: target, fetched: false };
    }
    const archives: Archive[] = [];
    for (const one of build.packages) archives.push(await findArchive(registry, one, signal));
    await told(downloads, () => mkdir(downloads, { recursive: true }));
    const total = archives.reduce((sum, { file }) => sum + file.size, 0);
    const here = await Promise.all(archives.map(({ file }) => sizeOf(join(downloads, file.path))));
    const missing = total - here.reduce((sum, size) => sum + size, 0);
    await requireSpace(target, missing + build.unpackedBytes);
    let done = 0;
    for (const { address, file } of archives) {
      await downloadFile(registry, address, file, join(downloads, file.path), {
        signal,
        repository: "the npm registry",
        onBytes: (bytes) => {
          done += bytes;
          options.onProgress?.({ step: "download", done, total });
        },
      });
    }
    const partial = join(folder, `.cuda-${process.pid}.partial`);
    try {
      await told(partial, () => mkdir(partial));
      await unpack(
        archives.map(({ file }) => join(downloads, file.path)),
        partial,
        options,
      );
      const manifest: Manifest = { version: BUILD_VERSION, platform, cudaMajor: build.cudaMajor };
      await told(partial, () => writeFile(join(partial, MANIFEST), `${JSON.stringify(manifest)}\n`));
      await moveAway(folder, target);
      await told(target, () => renameFile(partial, target));
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      // An archive with the right hash that cannot be unpacked would fail again.
      if (error instanceof ServiceError && error.code === "download_failed") {
        await rm(downloads, { recursive: true, force: true });
      }
      throw error;
    }
    await removeAside(folder);
    await rm(downloads, { recursive: true, force: true });
    return { folder: target, fetched: true };
  });
}

/**
 * Removes the CUDA build, of whatever version, and what is left of a download.
 * @returns the bytes that are free again
 * @throws ServiceError disk_failed, model_not_found when there is nothing
 */
export async function removeCuda(folder: string = buildFolder()): Promise<number> {
  const found = (await readdir(folder).catch(() => [])).filter(
    (name) => /^cuda-\d/.test(name) || name === DOWNLOADS || ASIDE.test(name),
  );
  if (found.length === 0) {
    throw new ServiceError(
      "model_not_found",
      "The CUDA build is not installed, so there is nothing to remove.",
    );
  }
  return locked(folder, async () => {
    let bytes = 0;
    for (const name of found) bytes += await folderBytes(join(folder, name));
    for (const name of found) {
      if (name.startsWith("cuda-")) await moveAway(folder, join(folder, name));
    }
    await removeAside(folder);
    await rm(join(folder, DOWNLOADS), { recursive: true, force: true });
    return bytes;
  });
}

async function unpack(
  archives: readonly string[],
  into: string,
  { build, signal, onProgress }: InstallOptions,
): Promise<void> {
  let done = 0;
  for (const archive of archives) {
    for await (const { path, size, content } of readArchive(archive)) {
      signal.throwIfAborted();
      const name = LIBRARY.exec(path)?.[1];
      if (name === undefined || UNUSED.test(name)) continue;
      done += size;
      if (done > build.unpackedBytes) {
        throw new ServiceError(
          "download_failed",
          `${basename(archive)} is larger than it should be, so nothing of it was installed. Run the same command again.`,
        );
      }
      await told(join(into, name), async () => {
        // A later package replaces a file of an earlier one; the name has no folders.
        const file = await open(join(into, name), "w", 0o644);
        try {
          // Not `write`, which may take a part of it and no error.
          for await (const piece of content) await file.writeFile(piece);
          await file.sync();
        } finally {
          await file.close();
        }
      });
      onProgress?.({ step: "unpack", done: Math.min(done, build.unpackedBytes), total: build.unpackedBytes });
    }
  }
}

/** A build in use cannot be moved on Windows. */
async function moveAway(folder: string, target: string): Promise<void> {
  try {
    await renameFile(target, join(folder, `.cuda-${process.pid}-${Date.now()}.old`));
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return;
    if (code === "EPERM" || code === "EBUSY" || code === "EACCES") {
      throw new ServiceError(
        "disk_failed",
        `${target} is in use or protected. Stop the reward server in all windows and run the same command again.`,
        { cause: error },
      );
    }
    throw diskError(target, error);
  }
}

/** What killed processes left; the caller holds the lock. */
async function removeAside(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (ASIDE.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await told(folder, () => mkdir(folder, { recursive: true }));
  const lock: FileLock | undefined = await told(folder, () => takeLock(join(folder, "cuda.lock")));
  if (lock === undefined) {
    throw new ServiceError(
      "download_failed",
      "Another window or terminal is installing or removing the CUDA build. Wait for it, or stop it there.",
    );
  }
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function told<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(path, error);
  }
}

async function sizeOf(path: string): Promise<number> {
  for (const candidate of [path, path + PART]) {
    const stats = await stat(candidate).catch(() => undefined);
    if (stats !== undefined) return stats.size;
  }
  return 0;
}
