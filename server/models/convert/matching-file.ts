/**
 * `matching.json`, which training/train/text_parts/matching.py writes: `{"version", "dimensions", "coefficient", "problem", "program"}`,
 * the tables as base64 of one signed byte a component, row by row. Also the same in a GGUF's metadata, and what any
 * matching part must be to be used, wherever it was read.
 */
import { join } from "node:path";
import { asNumber, asString, readJson, unusable } from "../../files/json-file.ts";
import type { Metadata } from "../gguf/format.ts";
import { KEYS, MATCHING_VERSION, type MatchingModel } from "../gguf/keys.ts";

/** Numbers of buckets that are taken, as powers of two; the trained ones have 2^15. */
const BITS = { least: 8, most: 20 } as const;
/** Components of a vector that are taken; the trained ones have 64. */
const DIMENSIONS = { least: 8, most: 1024 } as const;
/** Bytes of a table, so that both fit into the header of a GGUF; the trained ones have 2 MiB. */
const TABLE_BYTES = 4 * 2 ** 20;

/**
 * The matching part of a folder; undefined where the file is not there.
 * @throws ServiceError model_unusable
 */
export async function readMatching(folder: string, name: string): Promise<MatchingModel | undefined> {
  const json = await readJson(folder, name);
  if (json === undefined) return undefined;
  const table = (key: string): Int8Array => new Int8Array(Buffer.from(asString(json[key]) ?? "", "base64"));
  const matching: MatchingModel = {
    version: asNumber(json["version"]) ?? Number.NaN,
    dimensions: asNumber(json["dimensions"]) ?? Number.NaN,
    problem: table("problem"),
    program: table("program"),
    coefficient: asNumber(json["coefficient"]) ?? Number.NaN,
  };
  const defect = matchingDefect(matching);
  if (defect !== undefined) {
    throw unusable(join(folder, name), `describes a matching part ${defect}. Train it again.`);
  }
  return matching;
}

/** The matching part in the metadata of a GGUF, unchecked; undefined where there is nothing of it. */
export function matchingIn(metadata: Metadata): MatchingModel | undefined {
  const keys = [
    KEYS.matchingVersion,
    KEYS.matchingDimensions,
    KEYS.matchingProblem,
    KEYS.matchingProgram,
    KEYS.matchingCoefficient,
  ];
  if (!keys.some((key) => metadata.has(key))) return undefined;
  const number = (key: string, kind: "uint32" | "float32"): number => {
    const value = metadata.get(key);
    return value?.kind === kind ? value.value : Number.NaN;
  };
  const table = (key: string): Int8Array => {
    const value = metadata.get(key);
    return value?.kind === "int8s" ? value.value : new Int8Array();
  };
  return {
    version: number(KEYS.matchingVersion, "uint32"),
    dimensions: number(KEYS.matchingDimensions, "uint32"),
    problem: table(KEYS.matchingProblem),
    program: table(KEYS.matchingProgram),
    coefficient: number(KEYS.matchingCoefficient, "float32"),
  };
}

/** What is wrong with it, to go on after "a matching part"; undefined when nothing is. */
export function matchingDefect(matching: MatchingModel): string | undefined {
  const { version, dimensions, problem, program, coefficient } = matching;
  if (version !== MATCHING_VERSION) return `of version ${version}; version ${MATCHING_VERSION} can be used`;
  if (!Number.isInteger(dimensions) || dimensions < DIMENSIONS.least || dimensions > DIMENSIONS.most) {
    return `of ${dimensions} dimensions; ${DIMENSIONS.least} to ${DIMENSIONS.most} can be used`;
  }
  if (problem.length !== program.length) {
    return `with tables of ${problem.length} and ${program.length} bytes, which should be equally long`;
  }
  const bits = Math.log2(program.length / dimensions);
  if (!Number.isInteger(bits) || bits < BITS.least || bits > BITS.most) {
    return `of ${program.length / dimensions} buckets, which is no power of two from 2^${BITS.least} to 2^${BITS.most}`;
  }
  if (program.length > TABLE_BYTES) {
    return `with tables of ${program.length} bytes; ${TABLE_BYTES} are the most that can be used`;
  }
  return Number.isFinite(coefficient) ? undefined : "without a coefficient that is a number";
}
