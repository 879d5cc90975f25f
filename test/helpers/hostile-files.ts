/** GGUF files that lie: a real one taken apart, changed in ways that no writer of ours would, and put together again. */
import { padded } from "../../server/models/gguf/format.ts";

/** A value as it stands in the file, type apart. */
export interface RawEntry {
  readonly key: string;
  /** Number of the value type; see VALUE_TYPES. */
  readonly type: number;
  readonly value: Buffer;
}

export interface RawTensor {
  readonly name: string;
  readonly shape: readonly bigint[];
  readonly type: number;
  readonly offset: bigint;
}

export interface RawGguf {
  readonly entries: readonly RawEntry[];
  readonly tensors: readonly RawTensor[];
  /** Everything from the first tensor on. */
  readonly data: Buffer;
  /** What the file says that it holds; default: what it does. */
  readonly claims?: { readonly tensors?: bigint; readonly entries?: bigint; readonly version?: number };
}

const ALIGNMENT = 32;
const STRING = 8;
const ARRAY = 9;
/** Bytes of the value types with a fixed size, by number. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

/** Takes a proper GGUF apart. */
export function takeApart(file: Buffer): RawGguf {
  let at = 8;
  const u32 = () => {
    at += 4;
    return file.readUInt32LE(at - 4);
  };
  const u64 = () => {
    at += 8;
    return file.readBigUInt64LE(at - 8);
  };
  const text = () => {
    const length = Number(u64());
    at += length;
    return file.toString("utf8", at - length, at);
  };
  const skip = (type: number): void => {
    if (type === STRING) text();
    else if (type === ARRAY) {
      const element = u32();
      const count = Number(u64());
      for (let index = 0; index < count; index++) skip(element);
    } else at += SIZES[type] ?? 0;
  };
  const tensorCount = Number(u64());
  const entryCount = Number(u64());
  const entries = Array.from({ length: entryCount }, () => {
    const key = text();
    const type = u32();
    const from = at;
    skip(type);
    return { key, type, value: file.subarray(from, at) };
  });
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = text();
    const shape = Array.from({ length: u32() }, u64);
    return { name, shape, type: u32(), offset: u64() };
  });
  return { entries, tensors, data: file.subarray(padded(at, ALIGNMENT)) };
}

export function putTogether({ entries, tensors, data, claims }: RawGguf): Buffer {
  const parts: Buffer[] = [Buffer.from("GGUF"), u32(claims?.version ?? 3)];
  parts.push(u64(claims?.tensors ?? BigInt(tensors.length)), u64(claims?.entries ?? BigInt(entries.length)));
  for (const { key, type, value } of entries) parts.push(text(key), u32(type), value);
  for (const { name, shape, type, offset } of tensors) {
    parts.push(text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(padded(header.length, ALIGNMENT) - header.length), data]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

export function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.concat([u64(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);
}

/** An array's value: type of its elements, their number, and the elements. */
export function array(element: number, count: bigint, elements: Buffer): Buffer {
  return Buffer.concat([u32(element), u64(count), elements]);
}

/** Uniform random numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

const COUNTS = [0n, 1n, 255n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];
const NUMBERS = [0, 1, 2, 3, 31, 255, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const FLOATS = [0, -0, -1, 1e-45, 1e38, Number.NaN, Infinity, -Infinity];

/** A value of any type: of the right size, a lie, or nested. */
function anyValue(random: (bound: number) => number): { readonly type: number; readonly value: Buffer } {
  const pick = <T>(items: readonly T[], otherwise: T): T => items[random(items.length)] ?? otherwise;
  switch (random(8)) {
    case 0:
      return { type: 4, value: u32(pick(NUMBERS, 0)) };
    case 1:
      return { type: 6, value: f32(pick(FLOATS, 0)) };
    case 2:
      return { type: STRING, value: text(pick(["", "\0", "x".repeat(5000), "\u{1F4A9}", "gpt2"], "")) };
    case 3:
      return { type: 10, value: u64(pick(COUNTS, 0n)) };
    case 4:
      return {
        type: ARRAY,
        value: array(pick([0, 1, 4, 5, 6, 8, 9, 99], 0), pick(COUNTS, 0n), Buffer.alloc(64)),
      };
    case 5:
      return { type: ARRAY, value: array(5, 16n, Buffer.alloc(64, random(256))) };
    case 6:
      return { type: ARRAY, value: array(ARRAY, 1n, array(ARRAY, 1n, array(0, 8n, Buffer.alloc(8)))) };
    default:
      return { type: pick([0, 1, 7, 13, 77, 2 ** 32 - 1], 0), value: Buffer.alloc(random(9), random(256)) };
  }
}

/** One lie, or a few, chosen by the numbers. */
export function lying(good: RawGguf, random: (bound: number) => number): Buffer {
  let file = good;
  const lies = 1 + random(2);
  for (let lie = 0; lie < lies; lie++) file = lied(file, random);
  const bytes = putTogether(file);
  if (random(8) === 0) return bytes.subarray(0, random(bytes.length));
  if (random(8) === 0) {
    const copy = Buffer.from(bytes);
    const header = copy.length - good.data.length;
    for (let change = 0; change < 4; change++) copy[random(header)] = random(256);
    return copy;
  }
  return bytes;
}

function lied(file: RawGguf, random: (bound: number) => number): RawGguf {
  const { entries, tensors } = file;
  const entry = random(entries.length);
  const tensor = random(tensors.length);
  const count = COUNTS[random(COUNTS.length)] ?? 0n;
  const withEntry = (change: (one: RawEntry) => RawEntry): RawGguf => ({
    ...file,
    entries: entries.map((one, index) => (index === entry ? change(one) : one)),
  });
  const withTensor = (change: (one: RawTensor) => RawTensor): RawGguf => ({
    ...file,
    tensors: tensors.map((one, index) => (index === tensor ? change(one) : one)),
  });
  const parts = [
    ...["version", "weights", "scale", "coefficient"].map((name) => `codescaler.ngram.${name}`),
    ...["version", "dimensions", "problem", "program", "coefficient"].map(
      (name) => `codescaler.matching.${name}`,
    ),
  ];
  switch (random(11)) {
    case 0:
      return {
        ...file,
        claims: { ...file.claims, ...(random(2) === 0 ? { tensors: count } : { entries: count }) },
      };
    case 1:
    case 2:
    case 3:
      return withEntry(({ key }) => ({ key, ...anyValue(random) }));
    case 4:
      // The value's bytes stay, and mean something else.
      return withEntry((one) => ({ ...one, type: random(14) }));
    case 5:
      return {
        ...file,
        entries: [...entries, entries[entry] ?? { key: "", type: 0, value: Buffer.alloc(1) }],
      };
    case 6:
      return { ...file, entries: entries.filter((_one, index) => index !== entry) };
    case 7:
      return withTensor((one) => ({
        ...one,
        offset: random(2) === 0 ? count : one.offset + BigInt(random(64)),
      }));
    case 8:
      return withTensor((one) => ({
        ...one,
        shape: one.shape.map((size) => (random(2) === 0 ? count : size)),
      }));
    case 9:
      return withTensor((one) =>
        random(2) === 0 ? { ...one, type: random(40) } : { ...one, name: `${one.name}\0` },
      );
    default:
      return {
        ...file,
        entries: [...entries, ...parts.map((key) => ({ key, ...anyValue(random) }))],
      };
  }
}
