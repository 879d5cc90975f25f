/** GGUF version 3: the file layout shared by reader and writer. Source: gguf.h and docs/gguf.md of ggml. */
import type { FileType, TensorType } from "./ggml.ts";

/** "GGUF" read as a little-endian uint32. */
export const MAGIC = 0x46554747;
export const VERSION = 3;
/** Tensor data starts, and each tensor is padded, to a multiple of this unless the file says otherwise. */
export const ALIGNMENT = 32;

/** Numbers of the value types in the metadata section. */
export const VALUE_TYPES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

/** One value of the metadata: exactly the kinds that this project writes; all others are read as numbers. */
export type MetadataValue =
  | { readonly kind: "uint32" | "float32" | "number"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "int8s"; readonly value: Int8Array }
  | { readonly kind: "int32s"; readonly value: Int32Array }
  | { readonly kind: "float32s"; readonly value: Float32Array }
  /** A value that the reader was asked to skip, or of an element type that nothing here needs. */
  | { readonly kind: "skipped"; readonly value: null };

export type Metadata = ReadonlyMap<string, MetadataValue>;

/** A tensor as the file names it. */
export interface TensorPlan {
  readonly name: string;
  /** ggml order: the contiguous dimension (a row) first. */
  readonly shape: readonly number[];
  readonly type: FileType;
}

export interface TensorInfo extends Omit<TensorPlan, "type"> {
  readonly type: TensorType;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** Key of the SHA-256 over the whole file, computed with 64 zeros in its place. */
export const CHECKSUM_KEY = "codescaler.sha256";
export const CHECKSUM_PLACEHOLDER = "0".repeat(64);

export function padded(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
