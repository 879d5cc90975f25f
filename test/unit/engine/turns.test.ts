import { expect, test } from "vitest";
import { Turns } from "../../../server/engine/turns.ts";

/** Takes a number of turns, one after the other, and writes each down. */
async function work(turns: Turns, name: string, priority: "interactive" | "bulk", log: string[], count = 3) {
  for (let turn = 0; turn < count; turn++) {
    const done = await turns.take(priority);
    log.push(name);
    await Promise.resolve();
    done();
  }
}

test("two that have the same priority take turns", async () => {
  const turns = new Turns();
  const log: string[] = [];
  await Promise.all([work(turns, "judge", "interactive", log), work(turns, "writer", "interactive", log)]);
  expect(log).toEqual(["judge", "writer", "judge", "writer", "judge", "writer"]);
});

test("bulk work waits for what is interactive", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const done = await turns.take("bulk");
  const both = Promise.all([work(turns, "bulk", "bulk", log), work(turns, "editor", "interactive", log)]);
  done();
  await both;
  expect(log[0]).toBe("editor");
  expect(log.indexOf("bulk")).toBeGreaterThan(0);
});

test("bulk work has a fifth of the time while interactive work goes on, and all of it afterwards", async () => {
  let clock = 0;
  const turns = new Turns(() => clock);
  const log: string[] = [];
  const take = async (name: string, priority: "interactive" | "bulk", milliseconds: number) => {
    const done = await turns.take(priority);
    log.push(name);
    clock += milliseconds;
    done();
  };
  const end = turns.begin();
  // A batch of it takes as long as ten steps of the editor's.
  const bulk = (async () => {
    for (let batch = 0; batch < 20; batch++) await take("bulk", "bulk", 100);
  })();
  for (let step = 0; step < 200; step++) await take("step", "interactive", 10);
  const during = log.filter((name) => name === "bulk").length;
  expect(during).toBeGreaterThanOrEqual(4);
  expect(during).toBeLessThanOrEqual(6);
  end();
  await bulk;
  expect(log.filter((name) => name === "bulk").length).toBe(20);
});

test("only one has a turn at a time, whatever fails in it", async () => {
  const turns = new Turns();
  let running = 0;
  const one = async () => {
    const done = await turns.take("interactive");
    try {
      expect(++running).toBe(1);
      await Promise.resolve();
      throw new Error("failed");
    } finally {
      running--;
      done();
    }
  };
  const results = await Promise.allSettled([one(), one(), one()]);
  expect(results.every(({ status }) => status === "rejected")).toBe(true);
  const done = await turns.take("bulk");
  done();
});
