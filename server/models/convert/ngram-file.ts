/**
 * `ngram.json`, which training/train/text_parts/linear.py writes: `{"version", "scale", "coefficient", "weights"}`, the weights as
 * base64 of one signed byte a bucket. Also what any linear model must be to be used, wherever it was read.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { asNumber, asString, readJson, unusable } from "../../files/json-file.ts";
import { NGRAM_VERSION, type NgramModel } from "../gguf/keys.ts";

/** Numbers of buckets that are taken, as powers of two; the trained ones have 2^18. */
const BITS = { least: 8, most: 20 } as const;

/**
 * The linear model of a folder; undefined where the file is not there.
 * @throws ServiceError model_unusable
 */
export async function readNgram(folder: string, name: string): Promise<NgramModel | undefined> {
  const json = await readJson(folder, name);
  if (json === undefined) return undefined;
  const ngram: NgramModel = {
    version: asNumber(json["version"]) ?? Number.NaN,
    weights: new Int8Array(Buffer.from(asString(json["weights"]) ?? "", "base64")),
    scale: asNumber(json["scale"]) ?? Number.NaN,
    coefficient: asNumber(json["coefficient"]) ?? Number.NaN,
  };
  const defect = ngramDefect(ngram);
  if (defect !== undefined) {
    throw unusable(join(folder, name), `describes an n-gram model ${defect}. Train it again.`);
  }
  return ngram;
}

/** A short name of exactly this model, coefficient aside. */
export function ngramDigest({ version, weights, scale }: NgramModel): string {
  return createHash("sha256").update(`${version} ${scale} `).update(weights).digest("hex").slice(0, 12);
}

/** What is wrong with it, to go on after "an n-gram model"; undefined when nothing is. */
export function ngramDefect({ version, weights, scale, coefficient }: NgramModel): string | undefined {
  if (version !== NGRAM_VERSION) return `of version ${version}; version ${NGRAM_VERSION} can be used`;
  const bits = Math.log2(weights.length);
  if (!Number.isInteger(bits) || bits < BITS.least || bits > BITS.most) {
    return `of ${weights.length} weights, which is no power of two from 2^${BITS.least} to 2^${BITS.most}`;
  }
  if (!Number.isFinite(scale) || !Number.isFinite(coefficient)) {
    return "without a scale and a coefficient that are numbers";
  }
  return undefined;
}
