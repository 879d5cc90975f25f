/**
 * Token sequences as a trie, without building one: in sorted order the longest common prefix (LCP) of
 * neighbours says everything. A node is a distinct (depth, path); its number is the lower bound on tokens
 * that have to be decoded. Pure functions.
 */
import type { Tokens } from "./engine.ts";

/** Length of the longest common prefix of two sequences, in tokens. */
export function commonPrefix(a: Tokens, b: Tokens): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}

/** The canonical order: lexicographic by token id, a prefix before what it begins. */
export function compareTokens(a: Tokens, b: Tokens): number {
  const shared = commonPrefix(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}

/** Number of trie nodes of sequences in canonical order. */
export function countNodes(sorted: readonly Tokens[]): number {
  let nodes = 0;
  let previous: Tokens | undefined;
  for (const sequence of sorted) {
    nodes += sequence.length - (previous ? commonPrefix(previous, sequence) : 0);
    previous = sequence;
  }
  return nodes;
}

/**
 * Residents of a group made equal where its members go the same way: what one decodes anew, all who share it do.
 * @param group in canonical order
 * @param resident how many leading tokens of each member are in the KV cache already
 */
export function levelled(group: readonly Tokens[], resident: readonly number[]): number[] {
  const lengths = [...resident];
  const level = (index: number, neighbour: number): void => {
    const [one, other] = [group[index], group[neighbour]];
    if (!one || !other) return;
    // The last token of a sequence is nobody else's (see planGroup).
    const shared = Math.min(commonPrefix(one, other), one.length - 1, other.length - 1);
    const least = lengths[neighbour] ?? 0;
    if (least < shared) lengths[index] = Math.min(lengths[index] ?? 0, least);
  };
  for (let index = 1; index < group.length; index++) level(index, index - 1);
  for (let index = group.length - 2; index >= 0; index--) level(index, index + 1);
  return lengths;
}

/** One token to decode: its id, its position in the sequence, and the members of the group that share it. */
export interface TrieToken {
  readonly token: number;
  readonly position: number;
  readonly members: readonly number[];
}

export interface TriePlan {
  /** Inner tokens in depth-first order: each once, with all members below it. */
  readonly inner: readonly TrieToken[];
  /** The last token of each member, whose hidden state is the result; always decoded anew. */
  readonly last: readonly TrieToken[];
}

/**
 * What must be decoded to score a group.
 *
 * Where one member is a strict prefix of another, its last token is also an inner token of the other and is
 * decoded twice; rendered inputs end in a closing token, so this happens only for raw text.
 *
 * @param group distinct, non-empty sequences in canonical order
 * @param resident how many leading tokens of each member are in the KV cache already, less than its length
 */
export function planGroup(group: readonly Tokens[], resident: readonly number[]): TriePlan {
  const inner: TrieToken[] = [];
  const last: TrieToken[] = [];
  let previous: Tokens | undefined;
  group.forEach((sequence, index) => {
    const end = sequence.length - 1;
    const shared = previous ? Math.min(commonPrefix(previous, sequence), previous.length - 1) : 0;
    // Members that follow share a node while their common prefix with this one is longer than its depth.
    const followers: { readonly index: number; readonly until: number }[] = [];
    for (let next = index + 1; next < group.length; next++) {
      const other = group[next];
      if (!other) break;
      const until = Math.min(commonPrefix(sequence, other), other.length - 1, end);
      if (until <= Math.max(shared, resident[index] ?? 0)) break;
      followers.push({ index: next, until });
    }
    for (let position = Math.max(shared, resident[index] ?? 0); position < end; position++) {
      const members = [index];
      for (const follower of followers) {
        if (follower.until <= position) break;
        members.push(follower.index);
      }
      inner.push({ token: sequence[position] ?? 0, position, members });
    }
    last.push({ token: sequence[end] ?? 0, position: end, members: [index] });
    previous = sequence;
  });
  return { inner, last };
}
