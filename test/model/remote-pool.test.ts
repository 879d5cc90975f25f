/** Several engines, and what goes wrong with them while they work, over real HTTP. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { startTokenizer } from "../../server/engine/llama/start.ts";
import { ServiceError } from "../../server/errors.ts";
import { readTokenizerFile } from "../../server/models/read-model.ts";
import { checkGolden } from "../../server/remote/check-rewards.ts";
import type { PoolTiming } from "../../server/remote/pool.ts";
import { RemoteEngine } from "../../server/remote/remote-engine.ts";
import { readTargets } from "../../server/remote/targets.ts";
import { createRenderer } from "../../server/rendering/renderer.ts";
import type { Message } from "../../shared/contract.ts";
import { ROOT } from "../helpers/paths.ts";
import { QUICK } from "../helpers/remote-setting.ts";
import { type Fault, startVllm, type VllmOptions, type VllmReplay } from "../helpers/replay/vllm.ts";

const BULK = { priority: "bulk" } as const;
const file = await readTokenizerFile(join(ROOT, "media/nano.gguf"));

let seed = 0;

/** A number between -10 and 10 that belongs to the text alone: quick, and with the right seed it passes for a reward. */
function reward(tokens: ArrayLike<number>): number {
  const digest = createHash("sha256")
    .update(`${seed}:${Array.from(tokens).join()}`)
    .digest();
  return (digest.readUInt32LE() / 2 ** 32) * 20 - 10;
}

/** Half of all seeds rate right programs above wrong ones. */
beforeAll(async () => {
  const tokenizer = await startTokenizer(file);
  const renderer = createRenderer(file, tokenizer);
  const model = {
    render: (messages: readonly Message[]) => renderer.render(messages, {}).tokens,
    encode: tokenizer.encode,
    maxSequence: file.maxTokens,
  };
  const passes = () =>
    checkGolden(model, async (sequences) => Float64Array.from(sequences, reward), false).then(
      () => true,
      () => false,
    );
  while (!(await passes())) seed++;
  tokenizer.close();
});

function serve(options: Partial<VllmOptions> = {}): Promise<VllmReplay> {
  return startVllm({
    reward: async (sequences) => sequences.map(reward),
    maxModelLen: file.maxTokens,
    ...options,
  });
}

async function open(servers: readonly VllmReplay[], timing: Partial<PoolTiming> = {}): Promise<RemoteEngine> {
  const targets = readTargets(
    servers.map(({ url }) => url),
    undefined,
  );
  const options = { targets, timing: { ...QUICK, ...timing } };
  return RemoteEngine.start("nano", file, await startTokenizer(file), options);
}

/** Different texts. */
function texts(count: number, salt = ""): Int32Array[] {
  const start = [...salt].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0);
  return Array.from({ length: count }, (_, index) =>
    Int32Array.from([start % 200, index % 200, Math.floor(index / 200), 7]),
  );
}

function expected(inputs: readonly Int32Array[]): Float64Array {
  return Float64Array.from(inputs, reward);
}

async function failure(work: Promise<unknown>): Promise<ServiceError> {
  const error: unknown = await work.then(
    () => new Error("it worked"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw error;
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error;
}

/** Waits until something is so; the test's own time limit is the only one. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("several engines", () => {
  test("share the work, and every reward stands in its place", async () => {
    await using one = await serve();
    await using two = await serve();
    const remote = await open([one, two]);
    const before = [one.asked.length, two.asked.length];
    const inputs = texts(2000);
    const { rewards, decodedTokens } = await remote.score(inputs, BULK);
    expect(rewards).toEqual(expected(inputs));
    expect(decodedTokens).toBe(inputs.reduce((sum, tokens) => sum + tokens.length, 0));
    const asked = [one.asked.length - (before[0] ?? 0), two.asked.length - (before[1] ?? 0)];
    expect(asked[0] ?? 0).toBeGreaterThan(5);
    expect(asked[1] ?? 0).toBeGreaterThan(5);
    for (const { body } of [...one.asked, ...two.asked]) {
      expect(Array.isArray(body["input"]) ? body["input"].length : 0).toBeLessThanOrEqual(64);
    }
    expect(remote.device).toMatch(/^vLLM at [\d.]+:\d+, [\d.]+:\d+ \(reward-model\)$/);
    await remote.close();
  });

  test("one that cannot be used is left out, and comes in when it can", async () => {
    await using good = await serve();
    await using late = await serve({ setup: "probabilities" });
    const remote = await open([late, good]);
    expect(remote.device).toContain(new URL(good.url).host);
    expect(remote.device).not.toContain(new URL(late.url).host);
    late.setup = "right";
    // Named first, so it gets the work as soon as it is usable.
    let salt = 0;
    await until(() => late.asked.length > 4);
    const before = late.asked.length;
    while (late.asked.length === before) {
      await remote.score(texts(2, `late${salt++}`), BULK);
    }
    await remote.close();
  });

  test("a dead one costs nothing but its requests' move to another", async () => {
    const dying = await serve();
    await using other = await serve();
    const remote = await open([dying, other]);
    await dying.close();
    const inputs = texts(300, "dead");
    const { rewards } = await remote.score(inputs, BULK);
    expect(rewards).toEqual(expected(inputs));
    await remote.close();
  });

  test("a small one that joins later is refused: inputs are not shortened anew for it", async () => {
    await using large = await serve();
    await using small = await serve({ maxModelLen: 600 });
    // Together from the start the smaller length counts.
    const both = await open([large, small]);
    expect(both.maxSequence).toBe(600);
    await both.close();
    small.setup = "probabilities";
    const remote = await open([large, small]);
    expect(remote.maxSequence).toBe(file.maxTokens);
    small.setup = "right";
    const checks = small.asked.length;
    await until(() => small.asked.length > checks + 6);
    const before = small.requests.length;
    await remote.score(texts(300, "small"), BULK);
    expect(small.requests.slice(before).every(({ body }) => !isScoring(body["input"]))).toBe(true);
    await remote.close();
  });
});

/** A batch of the test above, rather than the probes at connect. */
function isScoring(input: unknown): boolean {
  return Array.isArray(input) && input.length > 30;
}

describe("a request that fails at one engine", () => {
  test.each<[string, Fault]>([
    ["a cut connection", { kind: "cut" }],
    ["half an answer", { kind: "half" }],
    ["NaN", { kind: "nan" }],
    ["null", { kind: "null" }],
    ["a reward too few", { kind: "short" }],
    ["the same index twice", { kind: "twice" }],
    ["a web page", { kind: "page" }],
    ["a server's own error", { kind: "status", status: 500, json: { error: { message: "CUDA error" } } }],
    ["503 that asks to come back", { kind: "status", status: 503, headers: { "Retry-After": "0" } }],
    ["429", { kind: "status", status: 429, headers: { "Retry-After": "0" } }],
    ["404", { kind: "status", status: 404 }],
    ["401", { kind: "status", status: 401, json: { error: "Unauthorized" } }],
  ])("is answered by another: %s", async (what, fault) => {
    await using one = await serve();
    await using two = await serve();
    const remote = await open([one, two]);
    // Twice where a kept connection may be to blame.
    one.faults.push(fault, ...(fault.kind === "cut" ? [fault] : []));
    const before = two.asked.length;
    const inputs = texts(3, what);
    const { rewards } = await remote.score(inputs, BULK);
    expect(rewards).toEqual(expected(inputs));
    expect(two.asked.length).toBe(before + 1);
    await remote.close();
  });

  test("because a kept connection was closed is sent anew at once", async () => {
    await using one = await serve();
    await using two = await serve();
    const remote = await open([one, two]);
    one.faults.push({ kind: "cut" });
    const before = two.asked.length;
    const inputs = texts(3, "kept");
    expect((await remote.score(inputs, BULK)).rewards).toEqual(expected(inputs));
    expect(two.asked.length).toBe(before);
    await remote.close();
  });

  test("is tried once more at the only one, after a pause", async () => {
    await using server = await serve();
    const remote = await open([server]);
    server.faults.push({ kind: "half" });
    const inputs = texts(3, "only");
    const { rewards } = await remote.score(inputs, BULK);
    expect(rewards).toEqual(expected(inputs));
    await remote.close();
  });

  test("twice is final, in one sentence with the engine's own words", async () => {
    await using server = await serve();
    const remote = await open([server]);
    // Only this request's: the checks of the reconnection in between are answered.
    server.spoils = (count) =>
      count === 3 ? { kind: "status", status: 500, json: { error: { message: "CUDA error." } } } : undefined;
    const error = await failure(remote.score(texts(3, "twice"), BULK));
    expect(error.message).toMatch(/failed \(status 500: CUDA error\)/);
    expect(error.code).toBe("engine_failed");
    await remote.close();
  });

  test("for its own fault is not sent to the others", async () => {
    await using one = await serve();
    await using two = await serve();
    const remote = await open([one, two]);
    const before = two.asked.length;
    one.faults.push({
      kind: "status",
      status: 400,
      json: { error: { message: "This model's maximum context length is 16 tokens." } },
    });
    const error = await failure(remote.score(texts(1, "own"), BULK));
    expect(error.message).toMatch(/refuses the request \(status 400: This model's maximum context length/);
    expect(two.asked.length).toBe(before);
    // And it is no reason to leave the engine alone.
    await remote.score(texts(1, "own again"), BULK);
    expect(two.asked.length).toBe(before);
    await remote.close();
  });

  test("for want of room is too_busy, so that clients come back", async () => {
    await using server = await serve();
    const remote = await open([server]);
    server.faults.push({ kind: "status", status: 503, headers: { "Retry-After": "30" } });
    const error = await failure(remote.score(texts(1, "busy"), BULK));
    expect(error.code).toBe("too_busy");
    expect(error.message).toMatch(/is busy/);
    await remote.close();
  });
});

describe("a client that goes away", () => {
  test("frees the engine: its socket is closed", async () => {
    await using server = await serve();
    const remote = await open([server]);
    let release = () => {};
    server.gate = new Promise((resolve) => {
      release = resolve;
    });
    const controller = new AbortController();
    const before = server.asked.length;
    const work = remote.score(texts(3, "gone"), { ...BULK, signal: controller.signal });
    await until(() => server.asked.length > before);
    const reason = new ServiceError("cancelled", "The client went away.");
    controller.abort(reason);
    await expect(work).rejects.toBe(reason);
    expect(await server.asked.at(-1)?.aborted).toBe(true);
    release();
    // The engine is none the worse for it.
    await remote.score(texts(3, "gone on"), BULK);
    await remote.close();
  });
});

describe("an engine that hangs", () => {
  test("loses its work once it no longer answers for its health", async () => {
    await using hung = await serve();
    await using other = await serve();
    const remote = await open([hung, other], { healthEveryMs: 20 });
    hung.faults.push({ kind: "silence" });
    hung.healthy = false;
    const inputs = texts(3, "hung");
    const { rewards } = await remote.score(inputs, BULK);
    expect(rewards).toEqual(expected(inputs));
    await remote.close();
  });

  test("is given up after its time even while its health is good", async () => {
    await using hung = await serve();
    await using other = await serve();
    const remote = await open([hung, other]);
    await remote.close();
    const impatient = await open([hung, other], { scoreMs: 500 });
    hung.faults.push({ kind: "silence" });
    const inputs = texts(3, "slow");
    const { rewards } = await impatient.score(inputs, BULK);
    expect(rewards).toEqual(expected(inputs));
    await impatient.close();
  });
});

test("interactive requests go before bulk ones that wait", async () => {
  await using server = await serve();
  const remote = await open([server]);
  let release = () => {};
  server.gate = new Promise((resolve) => {
    release = resolve;
  });
  const before = server.asked.length;
  const bulk = remote.score(texts(640, "bulk"), BULK);
  await until(() => server.asked.length === before + 4);
  const urgent = remote.score(texts(2, "urgent"), { priority: "interactive" });
  release();
  await Promise.all([bulk, urgent]);
  const sizes = server.asked
    .slice(before)
    .map(({ body }) => (Array.isArray(body["input"]) ? body["input"].length : 0));
  expect(sizes).toHaveLength(11);
  expect(sizes.indexOf(2)).toBe(4);
  await remote.close();
});

test("closing ends what waits with a sentence", async () => {
  await using server = await serve();
  const remote = await open([server]);
  server.faults.push({ kind: "silence" });
  const before = server.asked.length;
  const work = failure(remote.score(texts(2, "closing"), BULK));
  await until(() => server.asked.length > before);
  await remote.close();
  expect((await work).message).toBe("The server is shutting down.");
});
