/** Several sources at once: order of arrival, deadlines, failures that stay apart, health, and the account. */
import { afterEach, describe, expect, test } from "vitest";
import type { Log } from "../../../src/base/log.ts";
import { type Arrival, type GatherOptions, gather } from "../../../src/sources/gather.ts";
import { Health } from "../../../src/sources/health.ts";
import { logFailures } from "../../../src/sources/log-failures.ts";
import { Pace } from "../../../src/sources/pace.ts";
import type { Completion, Source } from "../../../src/sources/source.ts";
import { SourceError } from "../../../src/sources/source-error.ts";
import { Usage, type UsageDays, type UsageLimits } from "../../../src/sources/source-usage.ts";
import { type Replay, type ReplayOptions, startReplay } from "../../helpers/replay/replay.ts";
import { REQUEST, sourceAt } from "./asking.ts";

const open: Replay[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((replay) => replay.close()));
});
async function replayed(options: ReplayOptions): Promise<Replay> {
  const replay = await startReplay(options);
  open.push(replay);
  return replay;
}

const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Long enough that it never ends a test that works. */
const AMPLE_MS = 60_000;

function setting(more: Partial<GatherOptions> = {}, limits: UsageLimits = { requests: 0, tokens: 0 }) {
  let kept: UsageDays = {};
  const usage = new Usage({ read: () => kept, write: (days) => (kept = days) }, () => limits);
  const health = new Health();
  const options: GatherOptions = {
    signal: new AbortController().signal,
    deadlineMs: AMPLE_MS,
    automatic: false,
    health,
    account: usage,
    ...more,
  };
  return { options, health, usage };
}

/** What arrives: completions as "source: text", failures as "source: kind". */
async function collect(
  stream: AsyncIterable<Arrival>,
): Promise<{ readonly given: string[]; readonly failures: string[] }> {
  const given: string[] = [];
  const failures: string[] = [];
  for await (const arrival of stream) {
    if (arrival.kind === "completion") given.push(`${arrival.source.id}: ${arrival.completion.text}`);
    else failures.push(`${arrival.source.id}: ${arrival.error.kind}`);
  }
  return { given, failures };
}

/** A source that does what a test says; for what no server can be made to do. */
function made(id: string, complete: Source["complete"], more: Partial<Source> = {}): Source {
  return { id, label: id, remote: false, automatic: true, complete, ...more };
}

const whole = (text: string): Completion => ({ text, complete: true, tokens: 1 });

describe("completions", () => {
  test("of all sources arrive as they come, each with its source", async () => {
    const slow = await replayed({ vendor: "openai", completions: [{ text: "slow", delayMs: 300 }] });
    const fast = await replayed({ vendor: "ollama", completions: [{ text: "fast" }] });
    const { options, health } = setting();
    const sources = [
      sourceAt(slow, { id: "slow", kind: "openai" }),
      sourceAt(fast, { id: "fast", kind: "ollama" }),
    ];
    const { given, failures } = await collect(gather(sources, REQUEST, options));
    expect(given).toEqual(["fast: fast", "slow: slow"]);
    expect(failures).toEqual([]);
    expect(health.of("fast")).toMatchObject({ kind: "ready", completions: 1 });
  });

  test("of the others are not spoilt by a source that fails", async () => {
    const good = await replayed({ vendor: "ollama", completions: [{ text: "good" }] });
    const bad = await replayed({ vendor: "mistral" });
    bad.faults.push({ kind: "page" });
    const gone = await startReplay({ vendor: "llamacpp" });
    await gone.close();
    const faulty = made("faulty", async function* () {
      yield whole("first");
      throw new TypeError("a fault of ours with secrets in it");
    });
    const { options, health } = setting();
    const sources = [
      sourceAt(bad, { id: "bad", kind: "mistral" }),
      sourceAt(gone, { id: "gone", kind: "llamacpp" }),
      faulty,
      sourceAt(good, { id: "good", kind: "ollama" }),
    ];
    const { given, failures } = await collect(gather(sources, REQUEST, options));
    expect([...given].sort()).toEqual(["faulty: first", "good: good"]);
    expect([...failures].sort()).toEqual(["bad: web_page", "faulty: unexpected", "gone: unreachable"]);
    expect(health.of("good").kind).toBe("ready");
    expect(health.of("gone").kind).toBe("failed");
    const faultState = health.of("faulty");
    expect(JSON.stringify(faultState)).not.toContain("secrets");
  });

  test("that are not ready at the deadline are given as far as they came", async () => {
    const stuck = await replayed({ vendor: "openai", completions: [{ text: "return sum(numbers)" }] });
    stuck.faults.push({ kind: "hang", after: 2 });
    const silent = await replayed({ vendor: "mistral" });
    silent.faults.push({ kind: "silence" });
    const { options } = setting({ deadlineMs: 1_500 });
    const sources = [
      sourceAt(stuck, { id: "stuck", kind: "openai" }),
      sourceAt(silent, { id: "silent", kind: "mistral" }),
    ];
    const { given, failures } = await collect(gather(sources, REQUEST, options));
    expect(given).toEqual(["stuck: return s"]);
    expect(failures).toEqual(["silent: deadline"]);
    await expect(stuck.asked[0]?.aborted).resolves.toBe(true);
    await expect(silent.asked[0]?.aborted).resolves.toBe(true);
  });

  test("can be read while they are being written, until they are whole", async () => {
    const stuck = await replayed({ vendor: "ollama", completions: [{ text: "return sum(numbers)" }] });
    stuck.faults.push({ kind: "hang", after: 2 });
    const drafts = new Map<object, string>();
    const { options } = setting({
      deadlineMs: 1_500,
      onDraft: (source, key, text) => {
        expect(source.id).toBe("stuck");
        if (text === undefined) drafts.delete(key);
        else drafts.set(key, text);
      },
    });
    const all = collect(gather([sourceAt(stuck, { id: "stuck", kind: "ollama" })], REQUEST, options));
    await expect.poll(() => [...drafts.values()]).toEqual(["return s"]);
    expect((await all).given).toEqual(["stuck: return s"]);
    expect(drafts.size).toBe(0);
  });

  test("leaving early aborts every request, down to the sockets", async () => {
    const first = await replayed({ vendor: "openai", completions: [{ text: "enough" }] });
    const second = await replayed({ vendor: "llamacpp", completions: [{ text: "return sum(numbers)" }] });
    second.faults.push({ kind: "hang", after: 1 });
    const { options, health, usage } = setting();
    const sources = [
      sourceAt(first, { id: "first", kind: "openai" }),
      sourceAt(second, { id: "second", kind: "llamacpp" }),
    ];
    for await (const arrival of gather(sources, REQUEST, options)) {
      expect(arrival).toMatchObject({ kind: "completion", completion: { text: "enough" } });
      // The other one is under way.
      await expect.poll(() => second.asked.length).toBe(1);
      break;
    }
    await expect(second.asked[0]?.aborted).resolves.toBe(true);
    await expect.poll(() => health.of("first").kind).toBe("ready");
    await expect.poll(() => health.of("second").kind).toBe("unused");
    // What was spent is counted even when nobody waits for it.
    await expect.poll(() => usage.today("second").promptTokens).toBeGreaterThan(0);
  });

  test("the user's cancelling ends it without a failure", async () => {
    const replay = await replayed({ vendor: "openai" });
    replay.faults.push({ kind: "silence" });
    const cancel = new AbortController();
    const { options, health } = setting({ signal: cancel.signal });
    const all = collect(gather([sourceAt(replay, { kind: "openai" })], REQUEST, options));
    await expect.poll(() => replay.asked.length).toBe(1);
    cancel.abort();
    expect(await all).toEqual({ given: [], failures: [] });
    expect(health.of("tested").kind).toBe("unused");
  });
});

describe("automatic requests", () => {
  test("go to local sources, and to remote ones only where the user allowed it", async () => {
    const replay = await replayed({ vendor: "openai" });
    const local = sourceAt(replay, { kind: "openai" });
    const remote = sourceAt({ url: "https://api.example" }, { kind: "openai" });
    const allowed = sourceAt({ url: "https://api.example" }, { kind: "openai", automatic: true });
    expect([local, remote, allowed].map((one) => one.automatic)).toEqual([true, false, true]);
    expect([local, remote, allowed].map((one) => one.remote)).toEqual([false, true, true]);
    const never = made(
      "never",
      async function* () {
        yield whole("asked all the same");
      },
      { automatic: false },
    );
    const { options } = setting({ automatic: true });
    expect(await collect(gather([never, local], REQUEST, options))).toEqual({
      given: ["tested: pass"],
      failures: [],
    });
  });
});

describe("a source that is too slow", () => {
  test("is told when to end by itself: in time for a suggestion, else at the deadline", async () => {
    const told: (number | undefined)[] = [];
    const source = made("s", async function* (_, { budgetMs }) {
      told.push(budgetMs);
      yield whole("x");
    });
    const { options } = setting({ deadlineMs: 30_000 });
    await collect(gather([source], REQUEST, options));
    const pacing = { pace: new Pace(), budgetMs: 4000 };
    await collect(gather([source], REQUEST, { ...options, pacing }));
    expect(told).toEqual([30_000, 3600]);
  });

  test("is asked for fewer completions the next time, and at last for one line", async () => {
    const counts: number[] = [];
    const lines: boolean[] = [];
    const slow = made("slow", async function* ({ count, maxTokens }, { stopEarly }) {
      counts.push(count);
      lines.push(stopEarly?.("x = 1\n") === true && maxTokens <= 64);
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield whole("x");
    });
    const { options } = setting({ automatic: true, pacing: { pace: new Pace(), budgetMs: 1 } });
    for (let turn = 0; turn < 4; turn++) {
      await collect(gather([slow], { ...REQUEST, count: 4, maxTokens: 256 }, options));
    }
    expect(counts).toEqual([4, 2, 1, 1]);
    expect(lines).toEqual([false, false, false, true]);
  });
});

describe("a source that asked to be left alone", () => {
  const at = (health: Health, kind: ConstructorParameters<typeof SourceError>[0], retryAt?: number) =>
    health.failed("s", new SourceError(kind, {}, retryAt));

  test("is left alone until its time, by commands too, and says why", async () => {
    let now = 1_000_000;
    const health = new Health(() => now);
    const replay = await replayed({ vendor: "mistral" });
    replay.faults.push({ kind: "status", status: 429, headers: { "Retry-After": "60" } });
    const source = sourceAt(replay, { kind: "mistral" });
    const { options } = setting({ health });
    now = Date.now();
    for (let turn = 0; turn < 2; turn++) {
      const { failures } = await collect(gather([source], REQUEST, options));
      expect(failures).toEqual(["tested: rate_limited"]);
    }
    expect(replay.asked).toHaveLength(1);
    now += 61_000;
    expect((await collect(gather([source], REQUEST, options))).given).toEqual(["tested: pass"]);
  });

  test("a wrong key is not tried with every key press, but by a command and after a change", () => {
    let now = 0;
    const health = new Health(() => now);
    at(health, "unauthorized");
    expect(health.pausedBy("s", true)?.kind).toBe("unauthorized");
    expect(health.pausedBy("s", false)).toBeUndefined();
    now = 31_000;
    expect(health.pausedBy("s", true)).toBeUndefined();
    at(health, "unauthorized");
    health.forget("s");
    expect(health.pausedBy("s", true)).toBeUndefined();
  });

  test("a deadline that passed pauses nothing", () => {
    const health = new Health(() => 0);
    at(health, "deadline");
    expect(health.pausedBy("s", true)).toBeUndefined();
  });

  test("listeners hear every change until they are disposed", () => {
    const health = new Health();
    const heard: string[] = [];
    const listening = health.onChange((id) => heard.push(`${id} ${health.of(id).kind}`));
    health.asking("s");
    health.asking("s");
    health.cancelled("s");
    health.ready("s", 12, 3);
    listening.dispose();
    health.forget("s");
    expect(heard).toEqual(["s asking", "s asking", "s unused", "s ready"]);
  });
});

describe("the account", () => {
  const remote = made("r", async function* () {}, { remote: true });
  const spent = { requests: 1, promptTokens: 100, completionTokens: 20, estimated: false };

  test("counts requests and tokens per source and day, across windows", () => {
    let kept: unknown;
    let now = new Date(2026, 10, 21, 23, 59);
    const window = () =>
      new Usage(
        { read: () => kept, write: (days) => (kept = structuredClone(days)) },
        () => ({ requests: 0, tokens: 0 }),
        () => now,
      );
    const [one, other] = [window(), window()];
    one.spent(remote, spent);
    other.spent(remote, { ...spent, estimated: true });
    expect(one.today("r")).toEqual({ requests: 2, promptTokens: 200, completionTokens: 40, estimated: true });
    expect(one.today("someone else").requests).toBe(0);
    now = new Date(2026, 10, 22, 0, 1);
    expect(one.today("r").requests).toBe(0);
    expect(Object.keys(one.days())).toEqual(["2026-11-21"]);
  });

  test("keeps a month and can be erased", () => {
    let kept: unknown;
    let day = 0;
    const usage = new Usage(
      { read: () => kept, write: (days) => (kept = days) },
      () => ({ requests: 0, tokens: 0 }),
      () => new Date(2026, 0, 1 + day),
    );
    for (; day < 40; day++) usage.spent(remote, spent);
    expect(Object.keys(usage.days())).toHaveLength(31);
    expect(Object.keys(usage.days()).at(-1)).toBe("2026-02-09");
    usage.erase();
    expect(usage.days()).toEqual({});
  });

  test("starts anew when what is kept is not its own", () => {
    let kept: unknown = { "2026-11-21": { r: { requests: "many" } } };
    const usage = new Usage({ read: () => kept, write: (days) => (kept = days) }, () => ({
      requests: 0,
      tokens: 0,
    }));
    expect(usage.days()).toEqual({});
    usage.spent(remote, spent);
    expect(usage.today("r").requests).toBe(1);
  });

  test.each([
    [{ requests: 2, tokens: 0 }, "requests"],
    [{ requests: 0, tokens: 240 }, "tokens"],
  ])("stops a remote source at its limit %j, and says so", async (limits, unit) => {
    const { options, usage, health } = setting({}, limits);
    const warnings: string[] = [];
    logFailures(health, { ...silent, warn: (message) => warnings.push(message) });
    const asked: string[] = [];
    const source = made(
      "r",
      async function* (_, { onSpent }) {
        asked.push("asked");
        onSpent?.(spent);
        yield whole("x");
      },
      { remote: true },
    );
    const told: string[][] = [];
    for (let turn = 0; turn < 6; turn++) {
      told.push((await collect(gather([source], REQUEST, options))).failures);
    }
    expect(asked).toHaveLength(2);
    expect(told).toEqual([[], [], ...Array(4).fill(["r: capped"])]);
    expect(warnings, "the log is not filled by typing on").toHaveLength(1);
    const state = health.of("r");
    expect(state.kind === "failed" ? state.error.message : "").toContain(unit);
    expect(usage.capped({ ...source, remote: false })).toBeUndefined();
  });
});
