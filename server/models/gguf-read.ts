/**
 * Reads the header of a GGUF: metadata and table of tensors, never the weights.
 * Our own reader because a model file may come from anywhere: `@huggingface/gguf` takes a file cut off inside its
 * header for a complete one (missing bytes read as zeros), keeps the last of two equal keys where llama.cpp refuses
 * the file, does not compare tensors with the file's size, and parses a long array anew for every chunk it reads
 * (29 s for 320 MB of empty strings).
 */
import { open } from "node:fs/promises";
import { ServiceError } from "../errors.ts";
import { ByteCursor, EndOfData } from "./byte-cursor.ts";
import { errorCode } from "./disk.ts";
import { byteLength, fileTypeOf, GGML_TYPES } from "./ggml.ts";
import {
  ALIGNMENT,
  CHECKSUM_KEY,
  elements,
  MAGIC,
  type MetadataValue,
  padded,
  type TensorInfo,
  VALUE_TYPES,
  VERSION,
} from "./gguf-format.ts";

/** What one header may hold. The largest real ones (vocabulary of 152,000, 64 layers) stay ten times below. */
const LIMITS = {
  headerBytes: 64 * 2 ** 20,
  keys: 1024,
  tensors: 16_384,
  /** ggml's own bound on tensor names (GGML_MAX_NAME). */
  nameBytes: 63,
  stringBytes: 8 * 2 ** 20,
  /** Elements of all arrays together: bounds the memory of the parsed header. */
  arrayElements: 4_000_000,
  dimensions: 4,
} as const;

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorInfo[];
  readonly fileBytes: number;
  /** Where the 64 characters of our checksum stand in the file; undefined when it has none. */
  readonly checksumAt: number | undefined;
}

/** A defect of the file; the message completes "FILE … ". */
class Defect extends Error {}

/**
 * Reads and checks the header of a GGUF file.
 * @param keep metadata keys whose value is wanted; others are stepped over and come back as `skipped`
 * @throws ServiceError model_unusable in one sentence for anything that is not a complete, consistent GGUF;
 *   model_not_found when there is no such file
 */
export async function readGguf(
  path: string,
  keep: (key: string) => boolean = () => true,
): Promise<GgufHeader> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Defect("is not a file. Give the path of a .gguf file.");
    return await readHeader(new ByteCursor(file, Math.min(stats.size, LIMITS.headerBytes)), stats.size, keep);
  } catch (error) {
    if (error instanceof Defect) throw new ServiceError("model_unusable", `${path} ${error.message}`);
    if (error instanceof EndOfData) {
      throw new ServiceError(
        "model_unusable",
        `${path} is cut off inside its header. Get or convert it again.`,
      );
    }
    if (errorCode(error) !== undefined) throw openError(path, error);
    throw error;
  } finally {
    await file.close();
  }
}

/** What the user is told when a model file cannot be opened or read. */
export function openError(path: string, cause: unknown): unknown {
  switch (errorCode(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new ServiceError("model_not_found", `${path} does not exist. Check the path.`, { cause });
    case "EACCES":
    case "EPERM":
      return new ServiceError(
        "model_unusable",
        `${path} may not be read by this account. Change its permissions.`,
        {
          cause,
        },
      );
    case "EISDIR":
      return new ServiceError("model_unusable", `${path} is a folder. Give the path of a file.`, { cause });
    case "EIO":
      return new ServiceError(
        "model_unusable",
        `${path} cannot be read: the disk reports an error. Copy it again.`,
        {
          cause,
        },
      );
    default:
      return cause;
  }
}

async function readHeader(
  cursor: ByteCursor,
  fileBytes: number,
  keep: (key: string) => boolean,
): Promise<GgufHeader> {
  if (cursor.left < 24)
    throw new Defect("is not a GGUF file. Convert the model with `codescaler models convert`.");
  await cursor.need(24);
  if (cursor.uint32() !== MAGIC) {
    throw new Defect("is not a GGUF file. Convert the model with `codescaler models convert`.");
  }
  const version = cursor.uint32();
  if (version !== VERSION && version !== 2) {
    throw new Defect(`has GGUF version ${version}; versions 2 and 3 can be read. Convert the model again.`);
  }
  const tensorCount = cursor.uint64();
  const keyCount = cursor.uint64();
  if (tensorCount > LIMITS.tensors || keyCount > LIMITS.keys) {
    throw damaged(`claims ${tensorCount} tensors and ${keyCount} metadata keys`);
  }
  const metadata = new Map<string, MetadataValue>();
  const budget = { elements: LIMITS.arrayElements };
  let checksumAt: number | undefined;
  for (let i = 0; i < keyCount; i++) {
    const key = await readString(cursor);
    if (metadata.has(key)) throw damaged(`has the metadata key ${quoted(key)} twice`);
    if (key === CHECKSUM_KEY) checksumAt = cursor.position + 12;
    metadata.set(key, await readValue(cursor, key, keep(key), budget));
  }
  const alignmentValue = metadata.get("general.alignment");
  const alignment = alignmentValue?.kind === "uint32" ? alignmentValue.value : ALIGNMENT;
  if (alignment === 0 || (alignment & (alignment - 1)) !== 0)
    throw damaged("has an alignment that is no power of two");

  const plans: TensorInfo[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const tensor = await readTensorInfo(cursor);
    if (names.has(tensor.name)) throw damaged(`has the tensor ${quoted(tensor.name)} twice`);
    names.add(tensor.name);
    plans.push(tensor);
  }
  const tensors = placed(plans, padded(cursor.position, alignment), alignment, fileBytes);
  return { metadata, tensors, fileBytes, checksumAt };
}

/** llama.cpp wants the tensors packed in the order of the table; so nothing can overlap or lie outside. */
function placed(
  tensors: readonly TensorInfo[],
  dataStart: number,
  alignment: number,
  fileBytes: number,
): TensorInfo[] {
  let expected = 0;
  return tensors.map((tensor) => {
    if (tensor.offset !== expected) throw damaged(`has the tensor ${quoted(tensor.name)} at the wrong place`);
    expected += padded(tensor.bytes, alignment);
    const offset = dataStart + tensor.offset;
    if (offset + tensor.bytes > fileBytes) {
      throw new Defect(
        `is cut off: the tensor ${quoted(tensor.name)} is incomplete. Get or convert it again.`,
      );
    }
    return { ...tensor, offset };
  });
}

async function readTensorInfo(cursor: ByteCursor): Promise<TensorInfo> {
  const name = await readString(cursor, LIMITS.nameBytes);
  await cursor.need(4);
  const dimensions = cursor.uint32();
  if (dimensions === 0 || dimensions > LIMITS.dimensions) {
    throw damaged(`has the tensor ${quoted(name)} with ${dimensions} dimensions`);
  }
  await cursor.need(8 * dimensions + 12);
  const shape = Array.from({ length: dimensions }, () => cursor.uint64());
  const typeId = cursor.uint32();
  const offset = cursor.uint64();
  const type = fileTypeOf(typeId);
  if (type === undefined) {
    throw new Defect(
      `has the tensor ${quoted(name)} in ggml type ${typeId}; f32, f16, bf16, q8_0 and q4_0 can be used. Convert the model again.`,
    );
  }
  const values = elements(shape);
  if (!shape.every((size) => size > 0) || !Number.isSafeInteger(values * 4)) {
    throw damaged(`has the tensor ${quoted(name)} of impossible shape [${shape.join(", ")}]`);
  }
  if ((shape[0] ?? 0) % GGML_TYPES[type].block !== 0) {
    throw damaged(`has the tensor ${quoted(name)} with rows that do not fill ${type} blocks`);
  }
  return { name, shape, type, offset, bytes: byteLength(type, values) };
}

/** Bytes of the value types with a fixed size. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [VALUE_TYPES.uint8, 1],
  [VALUE_TYPES.int8, 1],
  [VALUE_TYPES.uint16, 2],
  [VALUE_TYPES.int16, 2],
  [VALUE_TYPES.uint32, 4],
  [VALUE_TYPES.int32, 4],
  [VALUE_TYPES.float32, 4],
  [VALUE_TYPES.bool, 1],
  [VALUE_TYPES.uint64, 8],
  [VALUE_TYPES.int64, 8],
  [VALUE_TYPES.float64, 8],
]);

async function readValue(
  cursor: ByteCursor,
  key: string,
  wanted: boolean,
  budget: { elements: number },
): Promise<MetadataValue> {
  await cursor.need(4);
  const type = cursor.uint32();
  if (type === VALUE_TYPES.string) return { kind: "string", value: await readString(cursor) };
  if (type === VALUE_TYPES.array) return readArray(cursor, key, wanted, budget);
  const size = SIZES.get(type);
  if (size === undefined) throw damaged(`has the metadata key ${quoted(key)} of unknown type ${type}`);
  await cursor.need(size);
  const bytes = cursor.take(size);
  switch (type) {
    case VALUE_TYPES.uint32:
      return { kind: "uint32", value: bytes.readUInt32LE() };
    case VALUE_TYPES.float32:
      return { kind: "float32", value: bytes.readFloatLE() };
    case VALUE_TYPES.bool:
      return { kind: "bool", value: bytes[0] !== 0 };
    case VALUE_TYPES.float64:
      return { kind: "number", value: bytes.readDoubleLE() };
    case VALUE_TYPES.uint64:
      return { kind: "number", value: Number(bytes.readBigUInt64LE()) };
    case VALUE_TYPES.int64:
      return { kind: "number", value: Number(bytes.readBigInt64LE()) };
    case VALUE_TYPES.uint8:
    case VALUE_TYPES.uint16:
      return { kind: "number", value: bytes.readUIntLE(0, size) };
    default:
      return { kind: "number", value: bytes.readIntLE(0, size) };
  }
}

async function readArray(
  cursor: ByteCursor,
  key: string,
  wanted: boolean,
  budget: { elements: number },
): Promise<MetadataValue> {
  await cursor.need(12);
  const type = cursor.uint32();
  const count = cursor.uint64();
  budget.elements -= count;
  if (budget.elements < 0) throw damaged(`has the metadata key ${quoted(key)} with ${count} elements`);
  if (type === VALUE_TYPES.string) {
    // Every string takes at least the 8 bytes of its length: a false count is caught before memory is taken.
    if (count * 8 > cursor.left) throw new EndOfData();
    const strings: string[] = [];
    for (let i = 0; i < count; i++) {
      if (cursor.ready < 8) await cursor.need(8);
      const length = stringLength(cursor.uint64(), LIMITS.stringBytes);
      if (wanted) {
        if (cursor.ready < length) await cursor.need(length);
        strings.push(cursor.take(length).toString("utf8"));
      } else {
        cursor.skip(length);
      }
    }
    return wanted ? { kind: "strings", value: strings } : { kind: "skipped", value: null };
  }
  const size = SIZES.get(type);
  if (size === undefined)
    throw damaged(`has the metadata key ${quoted(key)} with elements of unknown type ${type}`);
  if (!wanted || (type !== VALUE_TYPES.int32 && type !== VALUE_TYPES.float32)) {
    cursor.skip(count * size);
    return { kind: "skipped", value: null };
  }
  await cursor.need(count * size);
  // A copy of its own: the window is reused, and typed arrays need their alignment.
  const bytes = Uint8Array.from(cursor.take(count * size)).buffer;
  return type === VALUE_TYPES.int32
    ? { kind: "int32s", value: new Int32Array(bytes) }
    : { kind: "float32s", value: new Float32Array(bytes) };
}

async function readString(cursor: ByteCursor, limit: number = LIMITS.stringBytes): Promise<string> {
  await cursor.need(8);
  const length = stringLength(cursor.uint64(), limit);
  await cursor.need(length);
  return cursor.take(length).toString("utf8");
}

function stringLength(length: number, limit: number): number {
  if (length > limit) throw damaged(`claims a text of ${length} bytes`);
  return length;
}

function damaged(what: string): Defect {
  return new Defect(`is damaged: it ${what}. Get or convert it again.`);
}

/** A name out of a foreign file, made safe to print: no control characters, not endless. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
