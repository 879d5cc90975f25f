/**
 * Reads the tensors of a Hugging Face folder: one safetensors file, or several with an index.
 * Format: 8 bytes with the header's length, a JSON header, then the data, which the tensors cover without
 * gaps or overlaps (https://huggingface.co/docs/safetensors). Nothing in a header is believed before it is checked.
 */
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { asArray, asObject, asString, parseObject, readJson, unusable } from "../../files/json-file.ts";
import { elements } from "../gguf/format.ts";
import { openError } from "../gguf/read-header.ts";
import type { SourceType } from "./quantize.ts";

/** Real headers have about 150 bytes a tensor; the largest model has a few thousand tensors. */
const HEADER_BYTES = 16 * 2 ** 20;
/** The largest supported checkpoint (32B in float32) comes in 27 parts. */
const MAX_PARTS = 1024;
/** More than any tensor of a transformer has. */
const MAX_DIMENSIONS = 8;
/** A part is a plain file name: it can never point out of the folder. */
const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/;

/** Bytes per value of the number formats that safetensors knows. */
const DTYPE_BYTES: ReadonlyMap<string, number> = new Map([
  ["BOOL", 1],
  ["U8", 1],
  ["I8", 1],
  ["F8_E4M3", 1],
  ["F8_E5M2", 1],
  ["I16", 2],
  ["U16", 2],
  ["F16", 2],
  ["BF16", 2],
  ["I32", 4],
  ["U32", 4],
  ["F32", 4],
  ["F64", 8],
  ["I64", 8],
  ["U64", 8],
]);

const SOURCE_TYPES: ReadonlyMap<string, SourceType> = new Map([
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
]);

export interface CheckpointTensor {
  readonly name: string;
  /** Row-major: the contiguous dimension last. */
  readonly shape: readonly number[];
  /** Undefined for formats that are no weights of ours (integers, float8, float64); `dtype` names it. */
  readonly type: SourceType | undefined;
  readonly dtype: string;
  readonly bytes: number;
  /** Fills `into` with the bytes from `start` of this tensor on. */
  read(into: Uint8Array, start: number): Promise<void>;
}

export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  close(): Promise<void>;
}

/**
 * Opens all parts and checks all headers. Close it after use.
 * @throws ServiceError model_unusable in one sentence
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const { parts, placement } = await findParts(folder);
  const files: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.splice(0).map((file) => file.close()));
  };
  try {
    const tensors = new Map<string, CheckpointTensor>();
    for (const part of parts) {
      const path = join(folder, part);
      const file = await open(path, "r").catch((error: unknown) => {
        throw openError(path, error);
      });
      files.push(file);
      for (const tensor of await readPart(path, file)) {
        if (placement !== undefined && placement.get(tensor.name) !== part) continue;
        tensors.set(tensor.name, tensor);
      }
    }
    for (const [name, part] of placement ?? []) {
      if (!tensors.has(name)) {
        throw unusable(
          join(folder, part),
          `lacks the tensor ${JSON.stringify(name)} that the index promises. Download the model again.`,
        );
      }
    }
    return { tensors, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface CheckpointParts {
  readonly parts: readonly string[];
  /** Tensor → part, as the index says; undefined when there is one part and no index. */
  readonly placement: ReadonlyMap<string, string> | undefined;
}

async function findParts(folder: string): Promise<CheckpointParts> {
  const files = await readdir(folder).catch((error: unknown) => {
    throw openError(folder, error);
  });
  const indexName = "model.safetensors.index.json";
  const index = files.includes(indexName) ? await readJson(folder, indexName) : undefined;
  if (index === undefined) {
    if (files.includes("model.safetensors")) return { parts: ["model.safetensors"], placement: undefined };
    const other = files.some((file) => file.endsWith(".bin") || file.endsWith(".pth"));
    throw unusable(
      folder,
      other
        ? "holds weights only as pickled PyTorch files. Save the model as safetensors first."
        : "holds no model.safetensors and no model.safetensors.index.json. Give the folder of a downloaded model.",
    );
  }
  const indexPath = join(folder, indexName);
  const map = asObject(index["weight_map"]);
  if (map === undefined) throw unusable(indexPath, "has no weight_map. Download the model again.");
  const placement = new Map<string, string>();
  for (const [name, part] of Object.entries(map)) {
    if (typeof part !== "string" || !PART.test(part)) {
      throw unusable(
        indexPath,
        `places ${JSON.stringify(name)} in a file of impossible name. Download the model again.`,
      );
    }
    if (!files.includes(part)) {
      throw unusable(folder, `lacks ${part}, which its index names. Download the missing file.`);
    }
    placement.set(name, part);
  }
  const parts = [...new Set(placement.values())].sort();
  if (parts.length > MAX_PARTS)
    throw unusable(indexPath, `names ${parts.length} files. Download the model again.`);
  return { parts, placement };
}

async function readPart(path: string, file: FileHandle): Promise<CheckpointTensor[]> {
  const damaged = (what: string) => unusable(path, `is damaged: ${what}. Download it again.`);
  const stats = await file.stat();
  if (!stats.isFile()) throw unusable(path, "is not a file. Download it again.");
  const start = await readBytes(path, file, 0, Math.min(8, stats.size));
  if (start.byteLength < 8) throw damaged("it is too short to hold anything");
  const length = Number(start.readBigUInt64LE());
  if (length > HEADER_BYTES) throw damaged(`its header claims ${length} bytes`);
  if (8 + length > stats.size) throw unusable(path, "is cut off inside its header. Download it again.");
  const header = parseObject((await readBytes(path, file, 8, length)).toString("utf8"));
  if (header === undefined) throw damaged("its header is not a JSON object");

  const dataStart = 8 + length;
  const found: (CheckpointTensor & { readonly begin: number })[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const quoted = JSON.stringify(name.slice(0, 100));
    const info = asObject(value);
    const dtype = asString(info?.["dtype"]) ?? "";
    const shape = naturals(info?.["shape"]);
    const range = naturals(info?.["data_offsets"]);
    const size = DTYPE_BYTES.get(dtype);
    if (size === undefined)
      throw damaged(`tensor ${quoted} has the unknown number format ${JSON.stringify(dtype)}`);
    const [begin, end] = range ?? [];
    if (shape === undefined || shape.length > MAX_DIMENSIONS || range?.length !== 2) {
      throw damaged(`tensor ${quoted} has no proper shape and place`);
    }
    if (begin === undefined || end === undefined || end - begin !== elements(shape) * size) {
      throw damaged(`the place of tensor ${quoted} does not fit its shape`);
    }
    found.push({
      name,
      shape,
      dtype,
      type: SOURCE_TYPES.get(dtype),
      bytes: end - begin,
      begin,
      read: (into, from) => readInto(path, file, into, dataStart + begin + from),
    });
  }
  // Covered without gaps in one sweep: nothing overlaps, nothing lies outside, no name was given twice.
  let covered = 0;
  for (const tensor of found.sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)) {
    if (tensor.begin !== covered) {
      throw damaged(
        `tensor ${JSON.stringify(tensor.name.slice(0, 100))} overlaps another one or leaves a gap`,
      );
    }
    covered += tensor.bytes;
  }
  const data = stats.size - dataStart;
  if (covered > data) throw unusable(path, "is cut off: tensors are incomplete. Download it again.");
  if (covered < data) throw damaged("there is data behind its last tensor");
  return found;
}

/** An array of exact non-negative integers, or undefined. */
function naturals(value: unknown): number[] | undefined {
  const list = asArray(value);
  if (list === undefined) return undefined;
  const numbers = list.filter((item): item is number => Number.isSafeInteger(item) && Number(item) >= 0);
  return numbers.length === list.length ? numbers : undefined;
}

async function readBytes(path: string, file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await readInto(path, file, bytes, position);
  return bytes;
}

async function readInto(path: string, file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.byteLength) {
    const { bytesRead } = await file
      .read(into, done, into.byteLength - done, position + done)
      .catch((error: unknown) => {
        throw openError(path, error);
      });
    if (bytesRead === 0) throw unusable(path, "became shorter while it was read. Download it again.");
    done += bytesRead;
  }
}
