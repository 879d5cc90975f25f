/** The number formats of ggml that this project reads and writes. Ids and sizes: ggml.h of llama.cpp. */

/** Number formats a model can be converted to; the names users see. */
export const FILE_TYPES = ["f32", "f16", "bf16", "q8_0", "q4_0"] as const;
export type FileType = (typeof FILE_TYPES)[number];

export interface GgmlType {
  readonly name: string;
  /** Number in the tensor table of a GGUF. */
  readonly id: number;
  /** Values stored together; a row must be a multiple of it. */
  readonly block: number;
  /** Bytes of one block. */
  readonly bytes: number;
  /** `general.file_type` of a file that is mostly of this type (llama_ftype). */
  readonly fileType: number;
}

export const GGML_TYPES: Readonly<Record<FileType, GgmlType>> = {
  f32: { name: "f32", id: 0, block: 1, bytes: 4, fileType: 0 },
  f16: { name: "f16", id: 1, block: 1, bytes: 2, fileType: 1 },
  bf16: { name: "bf16", id: 30, block: 1, bytes: 2, fileType: 32 },
  q8_0: { name: "q8_0", id: 8, block: 32, bytes: 34, fileType: 7 },
  q4_0: { name: "q4_0", id: 2, block: 32, bytes: 18, fileType: 2 },
};

const BY_ID: ReadonlyMap<number, FileType> = new Map(
  FILE_TYPES.map((type) => [GGML_TYPES[type].id, type] as const),
);

/** The format with this number, or undefined for one that reward models are never written in. */
export function fileTypeOf(id: number): FileType | undefined {
  return BY_ID.get(id);
}

/** Bytes of `values` consecutive values; `values` must be a multiple of the block. */
export function byteLength(type: FileType, values: number): number {
  const { block, bytes } = GGML_TYPES[type];
  return (values / block) * bytes;
}

export function isFileType(text: string): text is FileType {
  return (FILE_TYPES as readonly string[]).includes(text);
}
