/** Several streams as one, in order of arrival. */

/**
 * Yields what any of the streams yields as soon as it does. A stream that fails does not end the others: its
 * error is thrown after all have ended (the first, where several failed). When the consumer leaves early, the
 * streams are told to return but not waited for: whoever made them aborts what they wait for.
 */
export async function* merge<T>(streams: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const next = async (iterator: AsyncIterator<T>) => {
    try {
      return { iterator, result: await iterator.next() };
    } catch (error) {
      return { iterator, error };
    }
  };
  const pending = new Map(
    streams.map((stream) => {
      const iterator = stream[Symbol.asyncIterator]();
      return [iterator, next(iterator)];
    }),
  );
  const failures: unknown[] = [];
  try {
    while (pending.size > 0) {
      const settled = await Promise.race(pending.values());
      if (settled.result === undefined) {
        failures.push(settled.error);
        pending.delete(settled.iterator);
      } else if (settled.result.done === true) {
        pending.delete(settled.iterator);
      } else {
        pending.set(settled.iterator, next(settled.iterator));
        yield settled.result.value;
      }
    }
  } finally {
    for (const iterator of pending.keys()) iterator.return?.().catch(() => {});
  }
  if (failures.length > 0) throw failures[0];
}
