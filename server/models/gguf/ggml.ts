/** The number formats of ggml: those this project writes, and those of other files. Ids and sizes: ggml.h of llama.cpp. */

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

/** What of a format decides how much room its values take. */
type Layout = Pick<GgmlType, "id" | "block" | "bytes">;

/** Formats of language models that others have quantised; llama.cpp computes with them, nothing here does. */
const FOREIGN_TYPES = {
  q4_1: { id: 3, block: 32, bytes: 20 },
  q5_0: { id: 6, block: 32, bytes: 22 },
  q5_1: { id: 7, block: 32, bytes: 24 },
  q2_k: { id: 10, block: 256, bytes: 84 },
  q3_k: { id: 11, block: 256, bytes: 110 },
  q4_k: { id: 12, block: 256, bytes: 144 },
  q5_k: { id: 13, block: 256, bytes: 176 },
  q6_k: { id: 14, block: 256, bytes: 210 },
  iq2_xxs: { id: 16, block: 256, bytes: 66 },
  iq2_xs: { id: 17, block: 256, bytes: 74 },
  iq3_xxs: { id: 18, block: 256, bytes: 98 },
  iq1_s: { id: 19, block: 256, bytes: 50 },
  iq4_nl: { id: 20, block: 32, bytes: 18 },
  iq3_s: { id: 21, block: 256, bytes: 110 },
  iq2_s: { id: 22, block: 256, bytes: 82 },
  iq4_xs: { id: 23, block: 256, bytes: 136 },
  iq1_m: { id: 29, block: 256, bytes: 56 },
  mxfp4: { id: 39, block: 32, bytes: 17 },
} as const satisfies Readonly<Record<string, Layout>>;

/** The format of a tensor in any file that can be used. */
export type TensorType = FileType | keyof typeof FOREIGN_TYPES;

const LAYOUTS: Readonly<Record<TensorType, Layout>> = { ...GGML_TYPES, ...FOREIGN_TYPES };

const BY_ID: ReadonlyMap<number, TensorType> = new Map(
  [...FILE_TYPES, ...foreignTypes()].map((type) => [LAYOUTS[type].id, type] as const),
);

function foreignTypes(): (keyof typeof FOREIGN_TYPES)[] {
  return Object.keys(FOREIGN_TYPES) as (keyof typeof FOREIGN_TYPES)[];
}

/** The format with this number, or undefined for one that is not known. */
export function tensorTypeOf(id: number): TensorType | undefined {
  return BY_ID.get(id);
}

/** Values that a format stores together; a row is a multiple of it. */
export function blockOf(type: TensorType): number {
  return LAYOUTS[type].block;
}

/** Bytes of `values` consecutive values; `values` must be a multiple of the block. */
export function byteLength(type: TensorType, values: number): number {
  const { block, bytes } = LAYOUTS[type];
  return (values / block) * bytes;
}

export function isFileType(text: string): text is FileType {
  return (FILE_TYPES as readonly string[]).includes(text);
}
