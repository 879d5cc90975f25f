/** What processes take, and whether it grows. Pure. */

export interface Size {
  /** Resident memory. */
  readonly bytes: number;
  readonly descriptors: number;
}

/** Descriptors that come and go with connections. */
const SPARE_DESCRIPTORS = 24;
/** What a process may grow by while it does the same again and again, in bytes. */
const SPARE_BYTES = 48 * 2 ** 20;

/**
 * @param sizes of the oldest window after each round, and of the last server, in order
 * @throws Error where a process takes ever more
 */
export function requireSteady(sizes: {
  readonly window: readonly Size[];
  readonly server: readonly Size[];
}): void {
  const { window, server } = sizes;
  // What is loaded with the first requests is no leak.
  const pairs: [string, Size | undefined, Size | undefined][] = [
    ["The window", window[Math.min(5, window.length - 1)], window.at(-1)],
    ["The server", server[0], server.at(-1)],
  ];
  for (const [who, first, last] of pairs) {
    if (!first || !last) continue;
    if (last.bytes > first.bytes + SPARE_BYTES) {
      throw new Error(`${who} grew from ${first.bytes} to ${last.bytes} bytes.`);
    }
    if (last.descriptors > first.descriptors + SPARE_DESCRIPTORS) {
      throw new Error(`${who} has ${last.descriptors} descriptors and had ${first.descriptors}.`);
    }
  }
}
