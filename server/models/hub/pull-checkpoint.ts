/**
 * Hub → installed model: list, small files, check that it can be converted and that there is room, weights, conversion.
 * Whatever stops it, the next call continues: finished files are not fetched again, and the installed model is only
 * replaced by a complete one.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { downloadFile, type RemoteFile } from "../../downloads/download-file.ts";
import type { Site } from "../../downloads/site.ts";
import { ServiceError } from "../../errors.ts";
import { diskError, requireSpace } from "../../files/disk.ts";
import { asObject, asString, readJson, unusable } from "../../files/json-file.ts";
import { CATALOGUE, type CatalogueModel, catalogueModel } from "../catalogue/catalogue.ts";
import { convertedBytes } from "../catalogue/needs.ts";
import { WRITERS } from "../catalogue/writers.ts";
import { readCheckpointFolder } from "../convert/checkpoint.ts";
import { type ConvertProgress, convert } from "../convert/convert-checkpoint.ts";
import type { FileType } from "../gguf/ggml.ts";
import type { ModelFacts, TokenizerFile } from "../model-file.ts";
import { installName, nameFrom } from "../names.ts";
import { readModelFacts } from "../read-model.ts";
import { convertTokenizer, type TokenizerOptions, tokenizerPath } from "../tokenizer-file.ts";
import { fileAddress, type HubRepository, REPOSITORY, REVISION, readRepository } from "./hub.ts";
import { openStaging, type Staging } from "./staging.ts";

export interface PullOptions {
  readonly hub: Site;
  /** The user's models; made when it is not there. */
  readonly folder: string;
  readonly type: FileType;
  /** Branch, tag or commit. */
  readonly revision?: string | undefined;
  /** Name to install under; default: that of the catalogue, or the repository's. */
  readonly name?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

export type PullProgress =
  | ConvertProgress
  | { readonly step: "download"; readonly done: number; readonly total: number };

export interface Pulled {
  readonly name: string;
  readonly facts: ModelFacts;
  /** False when this revision was installed in this type already. */
  readonly fetched: boolean;
}

/** What the converter reads besides the weights. */
const SMALL_FILES: ReadonlySet<string> = new Set([
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "chat_template.json",
  "calibration.json",
  "criteria.json",
  "ngram.json",
  "matching.json",
]);
const INDEX = "model.safetensors.index.json";
const SINGLE = "model.safetensors";
/** A part named by the index is a plain file name of the repository. */
const PART_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/;
/** The largest of them, tokenizer.json, has 17 MB; a hundred times that would be no such file. */
const LARGEST_SMALL_FILE = 64 * 2 ** 20;
/** Files fetched at the same time: one connection rarely fills a fast line, many annoy the Hub. */
const PARALLEL = 4;

/** The repository and name that are meant: of the catalogue, or any repository of the Hub. */
export function pullTarget(wanted: string): {
  readonly repository: string;
  readonly name: string;
  readonly model: CatalogueModel | undefined;
} {
  const model = catalogueModel(wanted);
  if (model !== undefined) return { repository: model.repository, name: model.id, model };
  if (REPOSITORY.test(wanted) && !wanted.includes("..") && !wanted.includes("--")) {
    return { repository: wanted, name: nameFrom(wanted.split("/")[1] ?? wanted), model: undefined };
  }
  throw new ServiceError(
    "model_not_found",
    `There is no model "${wanted}" to pull. Known are ${[...CATALOGUE, ...WRITERS].map(({ id }) => id).join(", ")}, and any owner/name or owner/name/file.gguf of the Hub.`,
  );
}

/** What both kinds of pull begin with. */
async function begin(wanted: string, options: Pick<PullOptions, "folder" | "revision" | "name">) {
  const { repository, name: defaultName, model } = pullTarget(wanted);
  const name = installName(options.name ?? defaultName);
  const revision = options.revision ?? "main";
  if (!REVISION.test(revision)) {
    throw new ServiceError(
      "invalid_request",
      `"${revision}" is no branch, tag or commit. Leave it out for the newest.`,
    );
  }
  const { folder } = options;
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw diskError(folder, error);
  });
  return { repository, name, model, revision, staging: await openStaging(folder, repository) };
}

/**
 * Downloads what a model's input is made with, without its weights, for ranking on a remote engine. An unfinished
 * download of the whole model stays as it is.
 * @throws ServiceError with what to do; the signal's reason when aborted
 */
export async function pullTokenizer(
  wanted: string,
  options: Omit<PullOptions, "type" | "onProgress"> & Pick<TokenizerOptions, "maxTokens">,
): Promise<{ readonly name: string; readonly facts: TokenizerFile }> {
  const { hub, folder, signal } = options;
  const { repository, name, model, revision, staging } = await begin(wanted, options);
  try {
    const listed = await readRepository(hub, repository, revision, signal);
    const weights = listed.files.filter(({ path }) => PART_NAME.test(path));
    const begun = (await staging.present(weights)) > 0;
    await fetchSmall({ hub, listed, staging, signal });
    const facts = await convertTokenizer(staging.folder, tokenizerPath(folder, name), {
      family: model?.family,
      source: repository,
      revision: listed.commit,
      maxTokens: options.maxTokens,
    });
    if (!begun) await staging.clear();
    return { name, facts };
  } finally {
    await staging.release();
  }
}

/**
 * Downloads, converts and installs a model.
 * @throws ServiceError with what to do; the signal's reason when aborted
 */
export async function pull(wanted: string, options: PullOptions): Promise<Pulled> {
  const { hub, folder, type, signal } = options;
  const { repository, name, model, revision, staging } = await begin(wanted, options);
  const target = join(folder, `${name}.gguf`);
  try {
    const listed = await readRepository(hub, repository, revision, signal);
    const installed = await readModelFacts(target).catch(() => undefined);
    if (installed?.source === repository && installed.revision === listed.commit && installed.type === type) {
      await staging.clear();
      return { name, facts: installed, fetched: false };
    }
    const fetcher = { hub, listed, staging, signal };
    const weights = await fetchDescription(fetcher, target, type);
    await fetchWeights(fetcher, weights, options.onProgress);
    const facts = await convert(staging.folder, target, {
      type,
      ...(model !== undefined && { family: model.family }),
      source: repository,
      revision: listed.commit,
      signal,
      onProgress: options.onProgress,
    });
    await staging.clear();
    return { name, facts, fetched: true };
  } finally {
    await staging.release();
  }
}

interface Fetcher {
  readonly hub: Site;
  readonly listed: HubRepository;
  readonly staging: Staging;
  readonly signal: AbortSignal;
}

/**
 * Fetches everything but the weights. A model that cannot be converted, or does not fit on the disk, is refused here,
 * before gigabytes have come.
 * @returns the files with the weights
 */
async function fetchDescription(
  fetcher: Fetcher,
  target: string,
  type: FileType,
): Promise<readonly RemoteFile[]> {
  const { listed, staging } = fetcher;
  await fetchSmall(fetcher);
  try {
    const { config } = await readCheckpointFolder(staging.folder);
    const weights = await weightFiles(fetcher, new Map(listed.files.map((file) => [file.path, file])));
    const missing = total(weights) - (await staging.present(weights));
    await requireSpace(target, missing + convertedBytes(config.architecture, config.shape, type));
    return weights;
  } catch (error) {
    // Nothing of it will ever be of use.
    if (error instanceof ServiceError && error.code === "model_unusable") await staging.clear();
    throw error;
  }
}

/** Configuration, tokenizer, template, and the index of the weights. */
async function fetchSmall(fetcher: Fetcher): Promise<void> {
  const { listed, staging } = fetcher;
  const small = listed.files.filter(({ path }) => SMALL_FILES.has(path) || path === INDEX);
  // All weights first: which of them the index names is not known yet.
  await staging.keepOnly([...small, ...listed.files.filter(({ path }) => PART_NAME.test(path))]);
  for (const file of small) {
    if (file.size > LARGEST_SMALL_FILE) throw unusable(listed.id, `has a ${file.path} of absurd size.`);
    await fetchFile(fetcher, file);
  }
}

async function weightFiles(
  { listed, staging }: Fetcher,
  byPath: ReadonlyMap<string, RemoteFile>,
): Promise<readonly RemoteFile[]> {
  const index = await readJson(staging.folder, INDEX);
  const named =
    index === undefined
      ? [SINGLE]
      : [...new Set(Object.values(asObject(index["weight_map"]) ?? {}).map((part) => asString(part) ?? ""))];
  if (named.length === 0) throw unusable(listed.id, "has an index of weights that names none.");
  return named.sort().map((path) => {
    const file = PART_NAME.test(path) ? byPath.get(path) : undefined;
    if (file !== undefined) return file;
    throw unusable(
      listed.id,
      index === undefined
        ? "holds no model.safetensors with a hash that can be checked. Only safetensors can be pulled."
        : `lacks ${JSON.stringify(path.slice(0, 100))}, which its index names. It cannot be pulled.`,
    );
  });
}

async function fetchWeights(
  fetcher: Fetcher,
  files: readonly RemoteFile[],
  onProgress: PullOptions["onProgress"],
): Promise<void> {
  const all = total(files);
  let done = 0;
  const failed = new AbortController();
  const signal = AbortSignal.any([fetcher.signal, failed.signal]);
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      await fetchFile({ ...fetcher, signal }, file, (bytes) => {
        done += bytes;
        onProgress?.({ step: "download", done, total: all });
      });
    }
  };
  const workers = Array.from({ length: Math.min(PARALLEL, files.length) }, async () => {
    try {
      await worker();
    } catch (error) {
      // The others stop too; theirs is not the failure to report.
      failed.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(workers);
  fetcher.signal.throwIfAborted();
  failed.signal.throwIfAborted();
}

async function fetchFile(
  { hub, listed, staging, signal }: Fetcher,
  file: RemoteFile,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const address = fileAddress(hub, listed, file.path);
  await downloadFile(hub, address, file, join(staging.folder, file.path), {
    signal,
    repository: listed.id,
    onBytes,
  });
}

function total(files: readonly RemoteFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
