/** The linear n-gram model that a judge is measured beside. */
import { basename, dirname, join } from "node:path";
import { ServiceError } from "../../errors.ts";
import { mediaFolder } from "../../files/package-files.ts";
import { ngramDigest, readNgram } from "../../models/convert/ngram-file.ts";
import type { NgramModel } from "../../models/gguf/keys.ts";
import { readTokenizerFile } from "../../models/read-model.ts";

/** A part of a run's name: results that were kept beside another linear model are of another run. */
export function beside(linear: NgramModel | undefined): string {
  return linear === undefined ? "" : ` beside ${ngramDigest(linear)}`;
}

/**
 * The linear model to be measured beside the judge; undefined when none is named and the embedded model has none.
 * @throws ServiceError model_unusable, model_not_found for a file without one
 */
export async function linearBaseline(file: string | undefined): Promise<NgramModel | undefined> {
  const path = file ?? join(mediaFolder, "nano.gguf");
  const found = path.endsWith(".json")
    ? await readNgram(dirname(path), basename(path))
    : (await readTokenizerFile(path)).ngram;
  if (found !== undefined || file === undefined) return found;
  throw new ServiceError(
    "model_not_found",
    `${file} is not there, or has no n-gram model. Name an ngram.json or a GGUF that has one.`,
  );
}
