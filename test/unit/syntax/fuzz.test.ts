import { expect, test } from "vitest";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { type FuzzInput, faultIn, hostileReplies, mutatedReplies } from "./fuzzing.ts";
import { nestedReplies } from "./nested-replies.ts";

/** `node scripts/fuzz-syntax.mjs` sets these for long runs; a long run also watches time and memory. */
const LONG = process.env["FUZZ_REPLIES"] !== undefined;
const COUNT = Number(process.env["FUZZ_REPLIES"] ?? 5000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** A reply that takes longer is a finding of a long run; in `npm test` only the test's own time limit counts. */
const SLOW_MS = 500;
/** Nested replies take longer than mutated ones: `npm test` takes fewer. */
const NESTED_SHARE = 10;
/** Replies before a long run measures: the first ones have the grammars compiled. */
const WARM_UP = 500;
let read = 0;
/** A long run says where it is after so many replies. */
const REPORTED = 5000;
/** What a long run counts as slow without failing for it. */
const NOTICED_MS = 100;
/** There are about a thousand hostile replies, most of them huge: `npm test` takes an even sample. */
const HOSTILE_STRIDE = 11;
const TIME_LIMIT = LONG ? 3_600_000 : 120_000;

/** Faults of all replies, and in a long run also those that took too long. */
async function faults(inputs: Iterable<FuzzInput>): Promise<string[]> {
  const runtime = await testRuntime();
  const found: string[] = [];
  let count = 0;
  let slow = 0;
  let slowest = { ms: 0, title: "" };
  const start = performance.now();
  for (const input of inputs) {
    const { title, reply, language, mode } = input;
    const begin = performance.now();
    const used = process.cpuUsage();
    try {
      const fault = faultIn(input, await extract(reply, { language, mode }, runtime));
      if (fault !== undefined) found.push(`${title}: ${fault}`);
    } catch (error) {
      found.push(`${title}: threw ${error instanceof Error ? error.stack : error}`);
    }
    // On a busy machine the clock runs on while we wait, so the processor's time counts where it is less.
    const { user, system } = process.cpuUsage(used);
    const ms = Math.min(performance.now() - begin, (user + system) / 1000);
    count += 1;
    if (LONG && ++read <= WARM_UP) continue;
    if (ms > slowest.ms) slowest = { ms, title };
    if (LONG && count % REPORTED === 0)
      console.log(`${count} replies, the slowest ${Math.round(slowest.ms)} ms`);
    if (ms > NOTICED_MS) slow += 1;
    if (LONG && ms > SLOW_MS) found.push(`${title}: ${Math.round(ms)} ms`);
  }
  if (LONG) {
    const rate = Math.round((1000 * count) / (performance.now() - start));
    const memory = Math.round(process.resourceUsage().maxRSS / 1024);
    console.log(
      `${count} replies, ${rate}/s, at most ${memory} MiB; ${((100 * slow) / count).toFixed(3)} % take more than ` +
        `${NOTICED_MS} ms, the slowest ${Math.round(slowest.ms)} ms: ${slowest.title}`,
    );
  }
  return found;
}

test(`${COUNT} mutated replies keep every promise about results`, { timeout: TIME_LIMIT }, async () => {
  expect(await faults(mutatedReplies(SEED, COUNT))).toEqual([]);
});

test("replies with nested blocks keep them too, in all languages", { timeout: TIME_LIMIT }, async () => {
  expect(await faults(nestedReplies(SEED, LONG ? COUNT : COUNT / NESTED_SHARE))).toEqual([]);
});

test("hostile replies are answered, whatever their size and shape", { timeout: TIME_LIMIT }, async () => {
  const all = hostileReplies();
  expect(await faults(LONG ? all : all.filter((_, index) => index % HOSTILE_STRIDE === 0))).toEqual([]);
});

test("replies are the same for the same seed", () => {
  expect([...mutatedReplies(7, 50)]).toEqual([...mutatedReplies(7, 50)]);
  expect([...nestedReplies(7, 50)]).toEqual([...nestedReplies(7, 50)]);
});
