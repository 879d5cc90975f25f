/** Typed access to a header's metadata. */
import type { GgufHeader } from "./read-header.ts";
import { unusableModel } from "./structure.ts";
import { quoted } from "./values.ts";

/** What is missing or of the wrong type is one clear error, a ServiceError model_unusable that names the key. */
export class Getter {
  readonly #path: string;
  readonly #header: GgufHeader;

  constructor(path: string, header: GgufHeader) {
    this.#path = path;
    this.#header = header;
  }

  text(key: string): string {
    const value = this.#header.metadata.get(key);
    return value?.kind === "string" ? value.value : this.#missing(key);
  }

  uint(key: string): number {
    const value = this.#header.metadata.get(key);
    return value?.kind === "uint32" ? value.value : this.#missing(key);
  }

  float(key: string): number | undefined {
    const value = this.#header.metadata.get(key);
    return value?.kind === "float32" ? value.value : undefined;
  }

  texts(key: string): readonly string[] {
    const value = this.#header.metadata.get(key);
    return value?.kind === "strings" ? value.value : this.#missing(key);
  }

  ints(key: string): Int32Array {
    const value = this.#header.metadata.get(key);
    return value?.kind === "int32s" ? value.value : this.#missing(key);
  }

  floats(key: string): Float32Array {
    const value = this.#header.metadata.get(key);
    return value?.kind === "float32s" ? value.value : this.#missing(key);
  }

  #missing(key: string): never {
    // The architecture's name is a part of some keys, and comes from the file.
    const name = /^[\w.-]{1,80}$/.test(key) ? key : quoted(key);
    throw unusableModel(this.#path, `lacks the metadata ${name}`);
  }
}
