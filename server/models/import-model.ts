/** Installs what someone copied over, without a network: a Hugging Face folder is converted, a GGUF of ours copied. */
import { mkdir, open, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ServiceError } from "../errors.ts";
import { createPending, diskError, requireSpace } from "../files/disk.ts";
import { catalogueModel } from "./catalogue/catalogue.ts";
import { readCheckpointFolder } from "./convert/checkpoint.ts";
import { type ConvertOptions, type ConvertProgress, convert } from "./convert/convert-checkpoint.ts";
import { openError } from "./gguf/read-header.ts";
import type { ModelFacts, TokenizerFile } from "./model-file.ts";
import { installName, nameFrom } from "./names.ts";
import { readModelFacts } from "./read-model.ts";
import { convertTokenizer, type TokenizerOptions, tokenizerPath } from "./tokenizer-file.ts";
import { verifyModel } from "./verify-model.ts";

export type ImportProgress =
  | ConvertProgress
  | { readonly step: "copy"; readonly done: number; readonly total: number };

export interface ImportOptions extends Omit<ConvertOptions, "onProgress" | "signal"> {
  /** The user's models; made when it is not there. */
  readonly folder: string;
  /** Name to install under; default: by repository, folder or file. */
  readonly name?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

/** Bytes copied between two looks at the signal. */
const CHUNK = 4 * 2 ** 20;

/**
 * @param path a Hugging Face folder, or a GGUF that this project wrote
 * @throws ServiceError model_unusable, model_not_found, disk_failed, invalid_request; the signal's reason when aborted
 */
export async function importModel(
  path: string,
  options: ImportOptions,
): Promise<{ readonly name: string; readonly facts: ModelFacts }> {
  const source = resolve(path);
  const stats = await stat(source).catch((error: unknown) => {
    throw openError(source, error);
  });
  const name = installName(options.name ?? (await defaultName(source, stats.isDirectory())));
  const target = join(options.folder, `${name}.gguf`);
  await requireAbsent(target, `A model named "${name}"`);
  await mkdir(options.folder, { recursive: true }).catch((error: unknown) => {
    throw diskError(options.folder, error);
  });
  const facts = stats.isDirectory()
    ? await convert(source, target, options)
    : await copyModel(source, stats.size, target, options);
  return { name, facts };
}

/**
 * Installs what a model's input is made with, without its weights.
 * @param path a Hugging Face folder; its weights need not be there
 * @throws ServiceError model_unusable, model_not_found, disk_failed, invalid_request
 */
export async function importTokenizer(
  path: string,
  options: TokenizerOptions & Pick<ImportOptions, "folder" | "name">,
): Promise<{ readonly name: string; readonly facts: TokenizerFile }> {
  const source = resolve(path);
  const name = installName(options.name ?? (await defaultName(source, true)));
  const target = tokenizerPath(options.folder, name);
  await requireAbsent(target, `A tokenizer named "${name}"`);
  const facts = await convertTokenizer(source, target, options);
  return { name, facts };
}

/** An import never replaces what is installed. */
async function requireAbsent(target: string, what: string): Promise<void> {
  if ((await stat(target).catch(() => undefined)) === undefined) return;
  throw new ServiceError(
    "invalid_request",
    `${what} is installed already. Choose another --name, or remove that one first.`,
  );
}

async function defaultName(source: string, folder: boolean): Promise<string> {
  if (!folder) return nameFrom(basename(source).replace(/\.gguf$/i, ""));
  const origin = (await readCheckpointFolder(source)).source;
  return catalogueModel(origin)?.id ?? nameFrom(basename(origin));
}

async function copyModel(
  source: string,
  size: number,
  target: string,
  { signal, onProgress }: ImportOptions,
): Promise<ModelFacts> {
  // Refuses what is no reward model before a byte is copied.
  await readModelFacts(source);
  await requireSpace(target, size);
  const file = await open(source, "r").catch((error: unknown) => {
    throw openError(source, error);
  });
  const copy = await createPending(target);
  try {
    const buffer = Buffer.alloc(CHUNK);
    for (let position = 0; ; ) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position).catch((error: unknown) => {
        throw openError(source, error);
      });
      if (bytesRead === 0) break;
      await copy.write(buffer.subarray(0, bytesRead), position);
      position += bytesRead;
      onProgress?.({ step: "copy", done: position, total: size });
    }
    const { facts } = await verifyModel(copy.temporary, {
      signal,
      onProgress: (done, total) => onProgress?.({ step: "check", done, total }),
    }).catch((error: unknown) => {
      throw aboutSource(error, copy.temporary, source);
    });
    await copy.commit();
    return { ...facts, path: target };
  } catch (error) {
    await copy.discard();
    throw error;
  } finally {
    await file.close();
  }
}

/** What is wrong with the copy is wrong with what was given; its temporary name would help nobody. */
function aboutSource(error: unknown, temporary: string, source: string): unknown {
  if (!(error instanceof ServiceError)) return error;
  return new ServiceError(error.code, error.message.replaceAll(temporary, source), { cause: error });
}
