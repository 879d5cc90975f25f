/**
 * Hub → installed GGUF, as it is: list, check that there is room, download, check the hash, read the header, install.
 * Whatever stops it, the next call continues; the installed model is only replaced by a complete one.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { renameFile } from "../../../shared/rename-file.ts";
import { downloadFile } from "../../downloads/download-file.ts";
import type { Site } from "../../downloads/site.ts";
import { ServiceError } from "../../errors.ts";
import { diskError, requireSpace } from "../../files/disk.ts";
import { writerModel } from "../catalogue/writers.ts";
import { readGguf } from "../gguf/read-header.ts";
import { installName, nameFrom } from "../names.ts";
import { readProvenance, writeProvenance } from "../provenance.ts";
import { fileAddress, REPOSITORY, REVISION, readRepository } from "./hub.ts";
import { openStaging } from "./staging.ts";

/** A file in the top folder of a repository. */
const GGUF_FILE = /^[A-Za-z0-9][\w.-]{0,127}\.gguf$/i;
/** One of several parts of a model. */
const PART = /-\d{5}-of-\d{5}\.gguf$/i;

export interface PullGgufOptions {
  readonly hub: Site;
  /** The user's models; made when it is not there. */
  readonly folder: string;
  /** Branch, tag or commit. */
  readonly revision?: string | undefined;
  /** Name to install under; default: that of the catalogue, or the file's. */
  readonly name?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface DownloadProgress {
  readonly step: "download";
  readonly done: number;
  readonly total: number;
}

export interface PulledGguf {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** False when exactly this file was installed already. */
  readonly fetched: boolean;
}

export interface GgufTarget {
  readonly repository: string;
  readonly file: string;
  readonly name: string;
}

/** What a name means: a writer of the catalogue, or `owner/name/file.gguf` of the Hub; undefined for anything else. */
export function ggufTarget(wanted: string): GgufTarget | undefined {
  const writer = writerModel(wanted);
  if (writer !== undefined) return { repository: writer.repository, file: writer.file, name: writer.id };
  const [owner, repositoryName, file, ...more] = wanted.split("/");
  const repository = `${owner}/${repositoryName}`;
  if (file === undefined || more.length > 0) return undefined;
  if (!REPOSITORY.test(repository) || repository.includes("..") || repository.includes("--"))
    return undefined;
  return GGUF_FILE.test(file)
    ? { repository, file, name: nameFrom(file.replace(/\.gguf$/i, "")) }
    : undefined;
}

/**
 * @throws ServiceError model_not_found, download_failed, disk_failed, model_unusable, invalid_request; the signal's
 *   reason when aborted
 */
export async function pullGguf(target: GgufTarget, options: PullGgufOptions): Promise<PulledGguf> {
  const { hub, folder, signal } = options;
  const name = installName(options.name ?? target.name);
  const revision = options.revision ?? "main";
  if (!REVISION.test(revision)) {
    throw new ServiceError(
      "invalid_request",
      `"${revision}" is no branch, tag or commit. Leave it out for the newest.`,
    );
  }
  if (PART.test(target.file)) {
    throw new ServiceError(
      "model_unusable",
      `${target.file} is one part of several. Pull a model that is one file.`,
    );
  }
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw diskError(folder, error);
  });
  const staging = await openStaging(folder, target.repository);
  const path = join(folder, `${name}.gguf`);
  try {
    const listed = await readRepository(hub, target.repository, revision, signal);
    const file = listed.files.find((one) => one.path === target.file);
    if (file === undefined) {
      throw new ServiceError(
        "model_not_found",
        `${target.repository} has no file ${target.file}. It has ${names(listed.files.map((one) => one.path))}.`,
      );
    }
    const provenance = { repository: listed.id, file: file.path, hash: file.hash.value, bytes: file.size };
    if ((await readProvenance(path))?.hash === file.hash.value) {
      await staging.clear();
      return { name, path, bytes: file.size, fetched: false };
    }
    await staging.keepOnly([file]);
    await requireSpace(path, file.size - (await staging.present([file])));
    let done = 0;
    const fetched = join(staging.folder, file.path);
    await downloadFile(hub, fileAddress(hub, listed, file.path), file, fetched, {
      signal,
      repository: listed.id,
      onBytes: (bytes) => {
        done += bytes;
        options.onProgress?.({ step: "download", done, total: file.size });
      },
    });
    try {
      await readGguf(fetched, () => false);
    } catch (error) {
      await staging.clear();
      throw error;
    }
    await renameFile(fetched, path).catch((error: unknown) => {
      throw diskError(path, error);
    });
    await writeProvenance(path, { ...provenance, revision: listed.commit });
    await staging.clear();
    return { name, path, bytes: file.size, fetched: true };
  } finally {
    await staging.release();
  }
}

/** The GGUFs of a repository, for a sentence. */
function names(files: readonly string[]): string {
  const ggufs = files.filter((file) => GGUF_FILE.test(file));
  if (ggufs.length === 0) return "no GGUF in its top folder";
  const shown = ggufs.slice(0, 5).join(", ");
  return ggufs.length > 5 ? `${shown} and ${ggufs.length - 5} more` : shown;
}
