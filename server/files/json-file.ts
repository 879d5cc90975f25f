/** JSON files of a checkpoint folder, read with a bound and taken apart without trusting them. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../errors.ts";
import { openError } from "../models/gguf/read-header.ts";
import { errorCode } from "./disk.ts";

/** Largest text file that is read: the tokenizer.json of Llama 3, the largest of all families, has 17 MB. */
const LARGEST_FILE = 32 * 2 ** 20;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The folder or a file in it cannot be converted; `what` completes the sentence "DIR/FILE …". */
export function unusable(path: string, what: string): ServiceError {
  return new ServiceError("model_unusable", `${path} ${what}`);
}

/** Text of a file in the folder; undefined when there is none. */
export async function readText(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    // A pipe must not hang whoever reads a folder of someone else's; links are users' own way to keep models elsewhere.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw unusable(path, "is not a file. Download the model again.");
      if (stats.size > LARGEST_FILE) {
        throw unusable(
          path,
          `is larger than ${LARGEST_FILE / 2 ** 20} MiB, which no real one is. Download the model again.`,
        );
      }
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw openError(path, error);
  }
}

/** A JSON object out of the folder; undefined when there is no such file. */
export async function readJson(folder: string, name: string): Promise<JsonObject | undefined> {
  const text = await readText(folder, name);
  if (text === undefined) return undefined;
  const parsed = parseObject(text);
  if (parsed === undefined)
    throw unusable(join(folder, name), "is not a JSON object. Download the model again.");
  return parsed;
}

export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

export function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
