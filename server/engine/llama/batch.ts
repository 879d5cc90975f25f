/** Memory of one decode call, owned by JS and reused: `llama_batch` points into these arrays. */

import type { TrieToken } from "../trie.ts";
import type { BatchStruct } from "./bindings.ts";
import { koffi } from "./native.ts";

export class Batch {
  readonly capacity: number;
  readonly #token: Int32Array;
  readonly #pos: Int32Array;
  readonly #count: Int32Array;
  readonly #lists: BigUint64Array;
  readonly #logits: Int8Array;
  /** Sequence ids of all tokens, one list after the other; replaced by a larger one when needed. */
  #ids: Int32Array;

  /** @param capacity most tokens in a call (`n_batch`; one more would abort the process) */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#token = new Int32Array(capacity);
    this.#pos = new Int32Array(capacity);
    this.#count = new Int32Array(capacity);
    this.#lists = new BigUint64Array(capacity);
    this.#logits = new Int8Array(capacity);
    this.#ids = new Int32Array(capacity * 4);
  }

  /**
   * Lays tokens out for a decode call.
   * @param tokens at most `capacity`
   * @param ids sequence id of each group member
   * @param output which tokens are outputs: their logits, or their hidden states, are wanted
   */
  fill(
    tokens: readonly TrieToken[],
    ids: readonly number[],
    output: (token: TrieToken) => boolean,
  ): BatchStruct {
    if (tokens.length > this.capacity)
      throw new RangeError(`${tokens.length} tokens exceed the batch of ${this.capacity}`);
    const total = tokens.reduce((sum, token) => sum + token.members.length, 0);
    if (total > this.#ids.length) this.#ids = new Int32Array(total);
    const base = koffi.address(this.#ids);
    let next = 0;
    tokens.forEach((token, index) => {
      this.#token[index] = token.token;
      this.#pos[index] = token.position;
      this.#count[index] = token.members.length;
      this.#lists[index] = base + BigInt(next * Int32Array.BYTES_PER_ELEMENT);
      this.#logits[index] = output(token) ? 1 : 0;
      for (const member of token.members) this.#ids[next++] = ids[member] ?? 0;
    });
    return {
      n_tokens: tokens.length,
      token: this.#token,
      embd: null,
      pos: this.#pos,
      n_seq_id: this.#count,
      seq_id: this.#lists,
      logits: this.#logits,
    };
  }
}
