/**
 * Number formats: reading f32, f16 and bf16, writing f32, f16, bf16, q8_0 and q4_0.
 * The block formats and their rounding are those of ggml's reference quantisation (ggml-quants.c, `*_ref`);
 * tests hold them bit for bit to vectors of the `gguf` Python package.
 * Bytes are little-endian, as on every machine Node runs on, so typed arrays are views of the file.
 */
import { type FileType, GGML_TYPES } from "../gguf/ggml.ts";

/** Number formats of checkpoints. */
export type SourceType = "f32" | "f16" | "bf16";
export const SOURCE_BYTES: Readonly<Record<SourceType, number>> = { f32: 4, f16: 2, bf16: 2 };

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** Bits of the nearest half-precision number, ties to even; beyond 65504 infinity. */
export function halfBits(value: number): number {
  scratchFloat[0] = value;
  return halfFromBits(scratchBits[0] ?? 0);
}

function halfFromBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is half-way between the largest half and the next step: it rounds up, to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Below 2^-14 a half has no implied one; its unit is 2^-24.
  if (magnitude < 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const lost = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (lost > half || (lost === half && (kept & 1) === 1) ? 1 : 0));
}

/** Value of half-precision bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

let halfTable: Float32Array | undefined;

/** All 65536 half-precision values: one look-up a value while a checkpoint streams through. */
function halves(): Float32Array {
  halfTable ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
  return halfTable;
}

/**
 * Widens checkpoint values into `out`. `source` must start at a multiple of 4 in its buffer.
 * @returns how many values were written
 */
export function widen(source: Uint8Array, format: SourceType, out: Float32Array): number {
  const count = source.byteLength / SOURCE_BYTES[format];
  switch (format) {
    case "f32":
      out.set(new Float32Array(source.buffer, source.byteOffset, count));
      break;
    case "f16": {
      const table = halves();
      const bits = new Uint16Array(source.buffer, source.byteOffset, count);
      for (let i = 0; i < count; i++) out[i] = table[bits[i] ?? 0] ?? 0;
      break;
    }
    case "bf16": {
      const bits = new Uint16Array(source.buffer, source.byteOffset, count);
      const words = new Uint32Array(out.buffer, out.byteOffset, count);
      for (let i = 0; i < count; i++) words[i] = (bits[i] ?? 0) << 16;
      break;
    }
    default: {
      format satisfies never;
    }
  }
  return count;
}

/** Largest magnitude that each format can hold: a block's scale is a half-precision number, so 65504 at most. */
export const LARGEST: Readonly<Record<FileType, number>> = {
  f32: 3.4028234663852886e38,
  bf16: 3.3895313892515355e38,
  f16: 65_504,
  q8_0: 65_504 * 127,
  q4_0: 65_504 * 8,
};

/** The largest |value|; infinity or NaN when one of them is not a number. */
export function largestMagnitude(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // Bits of non-negative floats are ordered as the floats are, with infinity and NaN on top.
  let largest = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i] ?? 0) & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  scratchBits[0] = largest;
  return scratchFloat[0] ?? Number.NaN;
}

/**
 * Encodes values no larger than LARGEST; their count must be a multiple of the type's block.
 * @param out starts at a multiple of 4 in its buffer and has room for them
 * @returns how many bytes were written
 */
export function encode(values: Float32Array, format: FileType, out: Uint8Array): number {
  switch (format) {
    case "f32":
      new Float32Array(out.buffer, out.byteOffset, values.length).set(values);
      break;
    case "f16": {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      const target = new Uint16Array(out.buffer, out.byteOffset, values.length);
      for (let i = 0; i < bits.length; i++) target[i] = halfFromBits(bits[i] ?? 0);
      break;
    }
    case "bf16": {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      const target = new Uint16Array(out.buffer, out.byteOffset, values.length);
      for (let i = 0; i < bits.length; i++) {
        const word = bits[i] ?? 0;
        target[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
      }
      break;
    }
    case "q8_0":
      encodeQ8(values, out);
      break;
    case "q4_0":
      encodeQ4(values, out);
      break;
    default: {
      format satisfies never;
    }
  }
  const { block, bytes } = GGML_TYPES[format];
  return (values.length / block) * bytes;
}

/** 32 values: half-precision scale max|x|/127, then 32 signed bytes round(x/scale), halves away from zero. */
function encodeQ8(values: Float32Array, out: Uint8Array): void {
  let at = 0;
  for (let start = 0; start < values.length; start += 32) {
    let largest = 0;
    for (let i = start; i < start + 32; i++) {
      const size = Math.abs(values[i] ?? 0);
      if (size > largest) largest = size;
    }
    const scale = Math.fround(largest / 127);
    const inverse = inverseOf(scale);
    const bits = halfBits(scale);
    out[at] = bits;
    out[at + 1] = bits >>> 8;
    at += 2;
    for (let i = start; i < start + 32; i++) {
      const scaled = Math.fround((values[i] ?? 0) * inverse);
      out[at++] = (scaled < 0 ? scaled - 0.5 : scaled + 0.5) | 0;
    }
  }
}

/**
 * 32 values: half-precision scale m/-8 with m the value of largest size, then 16 bytes of two 4-bit numbers
 * floor(x/scale + 8.5), the first half of the block in the low bits.
 * Product and sum are each rounded to single precision, as the `gguf` package and ggml without fused
 * multiply-add do; with it a value exactly between two steps may fall to the other one.
 */
function encodeQ4(values: Float32Array, out: Uint8Array): void {
  let at = 0;
  for (let start = 0; start < values.length; start += 32) {
    let largest = 0;
    let extreme = 0;
    for (let i = start; i < start + 32; i++) {
      const value = values[i] ?? 0;
      const size = Math.abs(value);
      if (size > largest) {
        largest = size;
        extreme = value;
      }
    }
    const scale = Math.fround(extreme / -8);
    const inverse = inverseOf(scale);
    const bits = halfBits(scale);
    out[at] = bits;
    out[at + 1] = bits >>> 8;
    at += 2;
    for (let i = start; i < start + 16; i++) {
      const low = Math.min(15, Math.fround(Math.fround((values[i] ?? 0) * inverse) + 8.5) | 0);
      const high = Math.min(15, Math.fround(Math.fround((values[i + 16] ?? 0) * inverse) + 8.5) | 0);
      out[at++] = low | (high << 4);
    }
  }
}

/** 1/scale in single precision; 0 where the scale is 0 or so small that its inverse overflows. */
function inverseOf(scale: number): number {
  const inverse = Math.fround(1 / scale);
  return Number.isFinite(inverse) ? inverse : 0;
}
