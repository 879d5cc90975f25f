import { describe, expect, it } from "vitest";
import { Run } from "../../../../src/inline/run.ts";
import { Runs } from "../../../../src/inline/runs.ts";
import { Tracer } from "../../../../src/inline/trace/trace.ts";
import type { Arrival } from "../../../../src/sources/gather.ts";
import { cursorIn } from "../cursor.ts";
import { replyOf } from "../reply.ts";

let count = 0;
/** A run whose first candidate is there and whose sources write on until they are stopped. */
async function runAt(text: string, insert: string, uri?: string): Promise<Run> {
  count += 1;
  const run = new Run(
    `r${count}`,
    cursorIn(text, uri),
    {
      async *gather(signal): AsyncGenerator<Arrival> {
        yield {
          kind: "completion",
          source: { id: "s", label: "S" },
          completion: { text: insert, complete: true, tokens: 1 },
        };
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
      check: async (_cursor, completion) => ({ insert: completion, valid: true, reason: null }),
      rank: async () => replyOf([{}]),
      sentenceOf: String,
      publish: () => {},
    },
    new Tracer("automatic", "a.py", 1),
  );
  await run.until(({ candidates }) => candidates.length > 0, new AbortController().signal);
  return run;
}

describe("running requests", () => {
  it("go on while the user types along, and stop when something else is typed", async () => {
    const runs = new Runs();
    const run = await runAt("return █", "a + b");
    runs.add(run);
    runs.cancelOthers(cursorIn("return a█"));
    expect(run.cancelled).toBe(false);
    runs.cancelOthers(cursorIn("return x█"));
    expect(run.cancelled).toBe(true);
  });

  it("of other documents are left alone", async () => {
    const runs = new Runs();
    const [here, there] = [await runAt("return █", "a"), await runAt("return █", "a", "file:///b.py")];
    runs.add(here);
    runs.add(there);
    runs.cancelOthers(cursorIn("x = █"));
    expect([here.cancelled, there.cancelled]).toEqual([true, false]);
    runs.dispose();
    expect(there.cancelled).toBe(true);
  });

  it("are found again at their place, but not once they were stopped", async () => {
    const runs = new Runs();
    const run = await runAt("return █", "a");
    runs.add(run);
    expect(runs.at(cursorIn("return █"))).toBe(run);
    expect(runs.at(cursorIn("return a█"))).toBeUndefined();
    run.cancel();
    expect(runs.at(cursorIn("return █"))).toBeUndefined();
    expect([...runs.continuedAt(cursorIn("return a█"))].map(({ run: found }) => found)).toEqual([run]);
  });

  it("are forgotten with their document", async () => {
    const runs = new Runs();
    const run = await runAt("return █", "a");
    runs.add(run);
    runs.forget(run.cursor.uri);
    expect(run.cancelled).toBe(true);
    expect(runs.get(run.id)).toBeUndefined();
  });
});
