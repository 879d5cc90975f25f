/**
 * Reads the header of a GGUF: metadata and table of tensors, never the weights.
 * Our own reader because a model file may come from anywhere: `@huggingface/gguf` takes a file cut off inside its
 * header for a complete one (missing bytes read as zeros), keeps the last of two equal keys where llama.cpp refuses
 * the file, does not compare tensors with the file's size, and parses a long array anew for every chunk it reads
 * (29 s for 320 MB of empty strings).
 */
import { open } from "node:fs/promises";
import { ServiceError } from "../../errors.ts";
import { errorCode } from "../../files/disk.ts";
import { ByteCursor, EndOfData } from "./byte-cursor.ts";
import {
  ALIGNMENT,
  CHECKSUM_KEY,
  elements,
  MAGIC,
  type MetadataValue,
  padded,
  type TensorInfo,
  VERSION,
} from "./format.ts";
import { blockOf, byteLength, tensorTypeOf } from "./ggml.ts";
import { arrayBudget, Defect, damaged, quoted, readString, readValue } from "./values.ts";

/** What one header may hold. The largest real ones (vocabulary of 152,000, 64 layers) stay ten times below. */
const LIMITS = {
  headerBytes: 64 * 2 ** 20,
  keys: 1024,
  tensors: 16_384,
  /** ggml's own bound on tensor names (GGML_MAX_NAME). */
  nameBytes: 63,
  dimensions: 4,
} as const;

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorInfo[];
  readonly fileBytes: number;
  /** Where the file has the 64 characters of our checksum; undefined when it has none. */
  readonly checksumAt: number | undefined;
}

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

/** The failure that a user sees when a model file cannot be opened or read. */
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
  const budget = arrayBudget();
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
  const type = tensorTypeOf(typeId);
  if (type === undefined) {
    throw new Defect(
      `has the tensor ${quoted(name)} in ggml type ${typeId}, which is not known. Convert the model again.`,
    );
  }
  const values = elements(shape);
  if (!shape.every((size) => size > 0) || !Number.isSafeInteger(values * 4)) {
    throw damaged(`has the tensor ${quoted(name)} of impossible shape [${shape.join(", ")}]`);
  }
  if ((shape[0] ?? 0) % blockOf(type) !== 0) {
    throw damaged(`has the tensor ${quoted(name)} with rows that do not fill ${type} blocks`);
  }
  return { name, shape, type, offset, bytes: byteLength(type, values) };
}
