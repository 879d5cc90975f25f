import fc from "fast-check";
import { expect, test } from "vitest";
import { INTERACTIVE_IN_A_ROW, PriorityQueue } from "../../../server/engine/queue.ts";

type Item = { readonly priority: "interactive" | "bulk"; readonly id: number };

const interactive = (id: number): Item => ({ priority: "interactive", id });
const bulk = (id: number): Item => ({ priority: "bulk", id });

test("interactive work goes first, and within a priority what came first", () => {
  const queue = new PriorityQueue<Item>();
  for (const item of [bulk(1), bulk(2), interactive(3), interactive(4)]) queue.push(item);
  expect(Array.from({ length: 5 }, () => queue.shift()?.id)).toEqual([3, 4, 1, 2, undefined]);
});

test("bulk work has a turn after four interactive ones, also when it is put back each time", () => {
  const queue = new PriorityQueue<Item>();
  queue.push(bulk(0));
  const taken: string[] = [];
  for (let turn = 0; turn < 15; turn++) {
    queue.push(interactive(turn));
    const item = queue.shift();
    taken.push(item?.priority.charAt(0) ?? "");
    if (item?.priority === "bulk") queue.pushFront(item);
  }
  expect(taken.join("")).toBe("iiiibiiiibiiiib");
});

test("looking at what comes next changes nothing", () => {
  const queue = new PriorityQueue<Item>();
  queue.push(bulk(0));
  for (let id = 1; id < 10; id++) queue.push(interactive(id));
  for (let turn = 0; turn < 10; turn++) {
    for (let look = 0; look < 7; look++) queue.next();
    expect(queue.next()).toBe(queue.shift());
  }
});

test("whatever comes, nothing waits for more than its share", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("interactive", "bulk", "shift")), (steps) => {
      const queue = new PriorityQueue<Item>();
      let since = 0;
      steps.forEach((step, id) => {
        if (step !== "shift") {
          queue.push({ priority: step, id });
          return;
        }
        const waits = queue.waiting("bulk") > 0;
        const item = queue.shift();
        since = waits && item?.priority === "interactive" ? since + 1 : 0;
        expect(since).toBeLessThanOrEqual(INTERACTIVE_IN_A_ROW);
      });
    }),
  );
});
