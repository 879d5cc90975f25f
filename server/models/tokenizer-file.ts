/**
 * Models whose weights are elsewhere: a GGUF with vocabulary, template and family but no tensors, for ranking on a
 * remote engine. It lies in a folder of its own, because no list of usable models may show it.
 */
import { mkdir, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { diskError, errorCode } from "../files/disk.ts";
import { longestInput } from "./convert/architectures.ts";
import { readCheckpointFolder } from "./convert/checkpoint.ts";
import { type Family, tokenizerMetadata } from "./gguf/keys.ts";
import { createGguf } from "./gguf/write.ts";
import type { TokenizerFile } from "./model-file.ts";
import { readTokenizerFile } from "./read-model.ts";

/** Below the folder of models. */
const FOLDER = "tokenizers";

export interface TokenizerOptions {
  /** Default: inferred from the class and the names of folder and repository. */
  readonly family?: Family | undefined;
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
  /** Longest input in tokens; default: as for a conversion. */
  readonly maxTokens?: number | undefined;
}

/** Where the tokenizer of a model is kept. The name must be one that `installName` let pass. */
export function tokenizerPath(modelFolder: string, name: string): string {
  return join(modelFolder, FOLDER, `${name}.gguf`);
}

/** The kept tokenizer of this name; undefined when there is none. */
export async function findTokenizer(modelFolder: string, name: string): Promise<string | undefined> {
  // Only a plain file name is looked up, so that no name can lead elsewhere.
  if (name !== basename(name)) return undefined;
  const path = tokenizerPath(modelFolder, name);
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true ? path : undefined;
}

/** Names of all kept tokenizers, sorted. */
export async function listTokenizers(modelFolder: string): Promise<string[]> {
  const files = await readdir(join(modelFolder, FOLDER)).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw diskError(join(modelFolder, FOLDER), error);
  });
  return files
    .filter((file) => file.endsWith(".gguf"))
    .map((file) => file.slice(0, -".gguf".length))
    .sort();
}

/**
 * Makes such a file from a Hugging Face folder; no weights need be there. The file appears only when it is complete
 * and could be read back.
 * @throws ServiceError model_unusable, invalid_request, disk_failed
 */
export async function convertTokenizer(
  folder: string,
  out: string,
  options: TokenizerOptions,
): Promise<TokenizerFile> {
  const description = await readCheckpointFolder(folder);
  const { architecture, shape } = description.config;
  const source = options.source ?? description.source;
  await mkdir(dirname(out), { recursive: true }).catch((error: unknown) => {
    throw diskError(dirname(out), error);
  });
  const metadata = tokenizerMetadata({
    name: basename(source),
    architecture,
    shape,
    vocabulary: description.vocabulary,
    family: options.family ?? description.family,
    source,
    revision: options.revision ?? description.revision,
    maxTokens: longestInput(shape, options.maxTokens),
    chatTemplate: description.chatTemplate,
    calibration: description.calibration,
    criteria: description.criteria,
    ngram: description.ngram,
    matching: description.matching,
  });
  const writer = await createGguf(out, metadata, []);
  try {
    await writer.finish(async (temporary) => {
      await readTokenizerFile(temporary);
    });
  } catch (error) {
    await writer.discard();
    throw error;
  }
  return readTokenizerFile(out);
}
