import { expect, test } from "vitest";
import { Endpoint } from "../../../server/remote/endpoint.ts";
import { EngineFailure } from "../../../server/remote/engine-failure.ts";
import { vllm } from "../../../server/remote/vllm.ts";

const target = { base: "http://127.0.0.1:1", host: "127.0.0.1:1", token: undefined, concurrency: undefined };
const timing = { shortMs: 1000, firstPauseMs: 1, longestPauseMs: 1, healthEveryMs: 60_000 };

/** An engine that lives: how often it was checked, and how it becomes ready. */
async function engine() {
  const seen = { checks: 0, ready: () => {} };
  const endpoint = new Endpoint(
    target,
    async () => {
      seen.checks++;
      return {
        target,
        wire: vllm,
        model: "m",
        maxSequence: 8,
        revision: undefined,
        type: undefined,
        golden: Float64Array.of(),
      };
    },
    timing,
    ({ state }) => state.kind === "ready" && seen.ready(),
  );
  await endpoint.open();
  return { endpoint, seen, ready: () => new Promise<void>((resolve) => (seen.ready = resolve)) };
}

test("an engine that was only busy is used again without another check", async () => {
  const { endpoint, seen, ready } = await engine();
  endpoint.setAside(new EngineFailure("busy", "It is busy.", { retryAfterMs: 1 }));
  await ready();
  expect(seen.checks).toBe(1);
});

test("an engine that dies while it is busy is checked before it is used again", async () => {
  const { endpoint, seen, ready } = await engine();
  endpoint.setAside(new EngineFailure("busy", "It is busy.", { retryAfterMs: 1 }));
  endpoint.setAside(new EngineFailure("gone", "It is gone."));
  await ready();
  expect(seen.checks).toBe(2);
});
