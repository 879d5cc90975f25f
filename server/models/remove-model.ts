/** Removes an installed model, or what is left of its download. */
import { rm, stat } from "node:fs/promises";
import { ServiceError } from "../errors.ts";
import { diskError } from "../files/disk.ts";
import { pullTarget } from "./hub/pull-checkpoint.ts";
import { ggufTarget } from "./hub/pull-gguf.ts";
import { openStaging, unfinishedDownloads } from "./hub/staging.ts";
import { removeProvenance } from "./provenance.ts";
import type { ModelStore } from "./store.ts";
import { findTokenizer } from "./tokenizer-file.ts";

export interface Removed {
  /** Files and folders that are gone. */
  readonly what: readonly ("model" | "tokenizer" | "download")[];
  readonly bytes: number;
}

/**
 * @param name an installed model, or one (or a repository) whose download was not finished
 * @throws ServiceError model_not_found, invalid_request for an embedded one, disk_failed
 */
export async function removeModel(store: ModelStore, name: string): Promise<Removed> {
  const what: Removed["what"][number][] = [];
  let bytes = 0;
  const installed = await store.find(name);
  if (installed?.embedded) {
    throw new ServiceError("invalid_request", `"${name}" comes with CodeScaler and cannot be removed.`);
  }
  if (installed !== undefined) {
    const stats = await stat(installed.path).catch(() => undefined);
    await rm(installed.path, { force: true }).catch((error: unknown) => {
      throw diskError(installed.path, error);
    });
    await removeProvenance(installed.path);
    what.push("model");
    bytes += stats?.size ?? 0;
  }
  const tokenizer = await findTokenizer(store.folder, name);
  if (tokenizer !== undefined) {
    const stats = await stat(tokenizer).catch(() => undefined);
    await rm(tokenizer, { force: true }).catch((error: unknown) => {
      throw diskError(tokenizer, error);
    });
    what.push("tokenizer");
    bytes += stats?.size ?? 0;
  }
  const repository = repositoryOf(name);
  const unfinished = (await unfinishedDownloads(store.folder)).find((one) => one.repository === repository);
  if (unfinished !== undefined) {
    const staging = await openStaging(store.folder, unfinished.repository);
    try {
      await staging.clear();
    } finally {
      await staging.release();
    }
    what.push("download");
    bytes += unfinished.bytes;
  }
  if (what.length > 0) return { what, bytes };
  throw new ServiceError(
    "model_not_found",
    `No model named "${name}" is installed. "codescaler models list" shows which are.`,
  );
}

function repositoryOf(name: string): string | undefined {
  try {
    return ggufTarget(name)?.repository ?? pullTarget(name).repository;
  } catch {
    return undefined;
  }
}
