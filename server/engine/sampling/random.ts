/** Random numbers that are the same in every run: each sample has a stream of its own. Pure. */

/** Numbers that are drawn and thrown away, so that seeds that are alike give streams that are not. */
const WARM_UP = 15;

/**
 * Numbers from 0 to 1, exclusive, with 32 random bits.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand).
 * @param seed of the request
 * @param stream which of its samples
 */
export function randomNumbers(seed: number, stream: number): () => number {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, stream | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < WARM_UP; round++) next();
  return next;
}
