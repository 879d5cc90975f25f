/** Writes a GGUF as a stream: header first, then each tensor in order, a checksum over everything at the end. */
import { createHash } from "node:crypto";
import { createPending, type PendingFile, requireSpace } from "../../files/disk.ts";
import {
  ALIGNMENT,
  CHECKSUM_KEY,
  CHECKSUM_PLACEHOLDER,
  elements,
  MAGIC,
  type Metadata,
  type MetadataValue,
  padded,
  type TensorPlan,
  VALUE_TYPES,
  VERSION,
} from "./format.ts";
import { byteLength, GGML_TYPES } from "./ggml.ts";

export interface GgufWriter {
  /** Bytes of the finished file. */
  readonly size: number;
  /** Data of the next tensor, in the order of the plan; the chunks must add up to its size. */
  tensor(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /**
   * Writes the checksum and gives the file its name.
   * @param check runs on the complete temporary file before that; what it throws refuses the file.
   */
  finish(check?: (temporary: string) => Promise<void>): Promise<void>;
  /** Removes what was written. Safe after `finish` too. */
  discard(): Promise<void>;
}

/**
 * Starts a GGUF at `target`. Metadata must not hold the checksum key: the writer adds it.
 * Throws ServiceError `disk_failed` when there is no room or no right to write.
 */
export async function createGguf(
  target: string,
  metadata: Metadata,
  tensors: readonly TensorPlan[],
): Promise<GgufWriter> {
  const { header, checksumAt } = encodeHeader(metadata, tensors);
  const size = tensors.reduce((sum, tensor) => sum + paddedBytes(tensor), header.byteLength);
  const file = await createPending(target);
  const hash = createHash("sha256");
  const pending = [...tensors];
  let position = 0;
  let open: PendingFile | undefined = file;

  const append = async (data: Uint8Array): Promise<void> => {
    hash.update(data);
    await file.write(data, position);
    position += data.byteLength;
  };
  const discard = async (): Promise<void> => {
    const left = open;
    open = undefined;
    await left?.discard();
  };
  try {
    await requireSpace(target, size);
    await append(header);
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    size,
    discard,
    async tensor(name, chunks) {
      const plan = pending.shift();
      if (plan?.name !== name) throw new Error(`Tensor ${name} came when ${plan?.name} was due.`);
      const end = position + byteLength(plan.type, elements(plan.shape));
      for await (const chunk of chunks) await append(chunk);
      if (position !== end) throw new Error(`Tensor ${name} ended ${end - position} bytes early.`);
      const padding = padded(position, ALIGNMENT) - position;
      if (padding > 0) await append(new Uint8Array(padding));
    },
    async finish(check) {
      if (pending.length > 0) throw new Error(`${pending.length} tensors were never written.`);
      await file.write(Buffer.from(hash.digest("hex")), checksumAt);
      await check?.(file.temporary);
      await file.commit();
      open = undefined;
    },
  };
}

function paddedBytes(tensor: TensorPlan): number {
  return padded(byteLength(tensor.type, elements(tensor.shape)), ALIGNMENT);
}

function encodeHeader(
  metadata: Metadata,
  tensors: readonly TensorPlan[],
): { header: Uint8Array; checksumAt: number } {
  const parts: Buffer[] = [];
  let length = 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    length += part.byteLength;
  };
  const start = Buffer.alloc(24);
  start.writeUInt32LE(MAGIC, 0);
  start.writeUInt32LE(VERSION, 4);
  start.writeBigUInt64LE(BigInt(tensors.length), 8);
  start.writeBigUInt64LE(BigInt(metadata.size + 1), 16);
  push(start);
  // The checksum comes first, so its place does not depend on anything else.
  push(string(CHECKSUM_KEY));
  push(uint32(VALUE_TYPES.string));
  push(string(CHECKSUM_PLACEHOLDER));
  const checksumAt = length - CHECKSUM_PLACEHOLDER.length;
  for (const [key, value] of metadata) {
    push(string(key));
    push(encodeValue(value));
  }
  let offset = 0;
  for (const tensor of tensors) {
    push(string(tensor.name));
    const info = Buffer.alloc(4 + 8 * tensor.shape.length + 12);
    let at = info.writeUInt32LE(tensor.shape.length, 0);
    for (const size of tensor.shape) at = info.writeBigUInt64LE(BigInt(size), at);
    at = info.writeUInt32LE(GGML_TYPES[tensor.type].id, at);
    info.writeBigUInt64LE(BigInt(offset), at);
    push(info);
    offset += paddedBytes(tensor);
  }
  push(Buffer.alloc(padded(length, ALIGNMENT) - length));
  return { header: Buffer.concat(parts), checksumAt };
}

function encodeValue(value: MetadataValue): Buffer {
  switch (value.kind) {
    case "uint32":
      return Buffer.concat([uint32(VALUE_TYPES.uint32), uint32(value.value)]);
    case "float32": {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32LE(VALUE_TYPES.float32, 0);
      bytes.writeFloatLE(value.value, 4);
      return bytes;
    }
    case "bool":
      return Buffer.concat([uint32(VALUE_TYPES.bool), Buffer.from([value.value ? 1 : 0])]);
    case "string":
      return Buffer.concat([uint32(VALUE_TYPES.string), string(value.value)]);
    case "strings":
      return Buffer.concat([array(VALUE_TYPES.string, value.value.length), ...value.value.map(string)]);
    case "int8s":
      return Buffer.concat([array(VALUE_TYPES.int8, value.value.length), bytesOf(value.value)]);
    case "int32s":
      return Buffer.concat([array(VALUE_TYPES.int32, value.value.length), bytesOf(value.value)]);
    case "float32s":
      return Buffer.concat([array(VALUE_TYPES.float32, value.value.length), bytesOf(value.value)]);
    case "number":
    case "skipped":
      throw new Error(`A ${value.kind} value cannot be written: its type is not known.`);
    default:
      value satisfies never;
      throw new Error("unreachable");
  }
}

/** Node runs on little-endian machines only, where memory already has the file's byte order. */
function bytesOf(values: Int8Array | Int32Array | Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function string(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(8 + length);
  bytes.writeBigUInt64LE(BigInt(length), 0);
  bytes.write(text, 8);
  return bytes;
}

function array(elementType: number, length: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(VALUE_TYPES.array, 0);
  bytes.writeUInt32LE(elementType, 4);
  bytes.writeBigUInt64LE(BigInt(length), 8);
  return bytes;
}
