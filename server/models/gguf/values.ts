/** The values in a GGUF's header: strings, numbers and arrays of them, each checked before memory is taken for it. */
import { type ByteCursor, EndOfData } from "./byte-cursor.ts";
import { type MetadataValue, VALUE_TYPES } from "./format.ts";

/** A chat template has some KiB. */
const MAX_STRING_BYTES = 8 * 2 ** 20;

/** Elements of all arrays together, numbers in units of 4 bytes: bounds the memory of the parsed header. */
const MAX_ARRAY_ELEMENTS = 4_000_000;

/** Elements that the arrays of one header may still have. */
export interface ArrayBudget {
  elements: number;
}

export function arrayBudget(): ArrayBudget {
  return { elements: MAX_ARRAY_ELEMENTS };
}

/** A defect of the file; the message completes "FILE … ". */
export class Defect extends Error {}

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

/** Number types of which an array has a use here; others are stepped over. */
const KEPT_ELEMENTS: ReadonlySet<number> = new Set([
  VALUE_TYPES.int8,
  VALUE_TYPES.int32,
  VALUE_TYPES.float32,
]);

/**
 * Reads the value of a metadata key, its type first.
 * @param wanted false: an array is stepped over and comes back as `skipped`
 * @throws Defect for an unknown type or an impossible size, EndOfData where the header ends first
 */
export async function readValue(
  cursor: ByteCursor,
  key: string,
  wanted: boolean,
  budget: ArrayBudget,
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
  budget: ArrayBudget,
): Promise<MetadataValue> {
  await cursor.need(12);
  const type = cursor.uint32();
  const count = cursor.uint64();
  budget.elements -= type === VALUE_TYPES.string ? count : (count * (SIZES.get(type) ?? 4)) / 4;
  if (budget.elements < 0) throw damaged(`has the metadata key ${quoted(key)} with ${count} elements`);
  if (type === VALUE_TYPES.string) {
    // Every string takes at least the 8 bytes of its length: a false count is caught before memory is taken.
    if (count * 8 > cursor.left) throw new EndOfData();
    const strings: string[] = [];
    for (let i = 0; i < count; i++) {
      if (cursor.ready < 8) await cursor.need(8);
      const length = stringLength(cursor.uint64(), MAX_STRING_BYTES);
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
  if (!wanted || !KEPT_ELEMENTS.has(type)) {
    cursor.skip(count * size);
    return { kind: "skipped", value: null };
  }
  await cursor.need(count * size);
  // A copy of its own: the window is reused, and typed arrays need their alignment.
  const bytes = new Uint8Array(cursor.take(count * size)).buffer;
  if (type === VALUE_TYPES.int8) return { kind: "int8s", value: new Int8Array(bytes) };
  return type === VALUE_TYPES.int32
    ? { kind: "int32s", value: new Int32Array(bytes) }
    : { kind: "float32s", value: new Float32Array(bytes) };
}

/** A text: its length in 8 bytes, then UTF-8. */
export async function readString(cursor: ByteCursor, limit: number = MAX_STRING_BYTES): Promise<string> {
  await cursor.need(8);
  const length = stringLength(cursor.uint64(), limit);
  await cursor.need(length);
  return cursor.take(length).toString("utf8");
}

function stringLength(length: number, limit: number): number {
  if (length > limit) throw damaged(`claims a text of ${length} bytes`);
  return length;
}

/** What is wrong with a file that no program writes so. */
export function damaged(what: string): Defect {
  return new Defect(`is damaged: it ${what}. Get or convert it again.`);
}

/** A name out of a foreign file, made safe to print: no control characters, not endless. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}
