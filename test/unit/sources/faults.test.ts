/** What goes wrong between here and a server: every fault has one plain sentence, and nothing hangs or leaks. */
import { afterEach, describe, expect, test } from "vitest";
import { createHttpClient } from "../../../src/sources/http/http-client.ts";
import { createSource, type SourceConfig } from "../../../src/sources/setup/create.ts";
import type { SourceErrorKind } from "../../../src/sources/source-error.ts";
import { startProxy } from "../../helpers/replay/proxy.ts";
import { type Fault, type Replay, type ReplayOptions, startReplay } from "../../helpers/replay/replay.ts";
import type { Vendor } from "../../helpers/replay/vendors.ts";
import { KEY, outcome, PREFIX, sourceAt } from "./asking.ts";

const open: Replay[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((replay) => replay.close()));
});
async function replayed(options: ReplayOptions): Promise<Replay> {
  const replay = await startReplay(options);
  open.push(replay);
  return replay;
}

const LONG = { text: "return sum(numbers) / len(numbers)" };

const KINDS: readonly (readonly [Vendor, SourceConfig["kind"]])[] = [
  ["openai", "openai"],
  ["openai", "openai-chat"],
  ["llamacpp", "llamacpp"],
  ["ollama", "ollama"],
  ["ollama", "ollama-chat"],
  ["mistral", "mistral"],
];

interface Case {
  readonly name: string;
  readonly fault: Fault;
  readonly kind: SourceErrorKind;
  /** What of the completion is still given. */
  readonly text?: string;
}

const CASES: readonly Case[] = [
  { name: "a page of HTML", fault: { kind: "page" }, kind: "web_page" },
  {
    name: "a connection that breaks",
    fault: { kind: "break", after: 3 },
    kind: "dropped",
    text: "return sum(n",
  },
  {
    name: "a stream that ends too soon",
    fault: { kind: "end", after: 3 },
    kind: "dropped",
    text: "return sum(n",
  },
  { name: "a connection that breaks at once", fault: { kind: "break", after: 0 }, kind: "dropped" },
  { name: "garbage", fault: { kind: "garbage", after: 2 }, kind: "malformed", text: "return s" },
  {
    name: "an error inside the stream",
    fault: { kind: "error", after: 2, message: "CUDA out of memory" },
    kind: "failed",
    text: "return s",
  },
  { name: "a wrong key", fault: { kind: "status", status: 401 }, kind: "unauthorized" },
  { name: "a key without rights", fault: { kind: "status", status: 403 }, kind: "forbidden" },
  { name: "no credit", fault: { kind: "status", status: 402 }, kind: "no_credit" },
  { name: "a route that is not there", fault: { kind: "status", status: 404 }, kind: "wrong_service" },
  {
    name: "a page for a route that is not there",
    fault: { kind: "page", status: 404 },
    kind: "wrong_service",
  },
  { name: "too many requests", fault: { kind: "status", status: 429 }, kind: "rate_limited" },
  {
    name: "a quota that is used up",
    fault: { kind: "status", status: 429, json: { error: { message: "x", code: "insufficient_quota" } } },
    kind: "no_credit",
  },
  { name: "a model that is loading", fault: { kind: "status", status: 503 }, kind: "loading" },
  { name: "a failure inside", fault: { kind: "status", status: 500 }, kind: "failed" },
  { name: "a gateway's page", fault: { kind: "page", status: 502 }, kind: "failed" },
  {
    name: "a redirect",
    fault: { kind: "status", status: 307, headers: { Location: "https://elsewhere.example/v1" } },
    kind: "redirected",
  },
];

describe.each(KINDS)("%s: %s", (vendor, kind) => {
  test.each(CASES)("$name is told as $kind", async ({ fault, kind: expected, text }) => {
    const replay = await replayed({ vendor, completions: [LONG] });
    replay.faults.push(fault);
    const { completions, error } = await outcome(sourceAt(replay, { kind }, KEY));
    expect(error?.kind).toBe(expected);
    expect(completions).toEqual(text === undefined ? [] : [{ text, complete: false, tokens: undefined }]);
    // Two sentences without places that were not filled, without the key, without code.
    expect(error?.message).toMatch(/^[^{}]+[.”]$/);
    const shown = JSON.stringify({
      ...error,
      message: error?.message,
      stack: error?.stack,
      cause: error?.cause,
    });
    expect(shown).not.toContain(KEY);
    expect(shown).not.toContain("greatest_common_divisor");
  });

  test("aborting closes the connection and is no error", async () => {
    const replay = await replayed({ vendor, completions: [LONG] });
    replay.faults.push({ kind: "hang", after: 2 });
    const cancel = new AbortController();
    const source = sourceAt(replay, { kind });
    const { completions, error } = await outcome(
      source,
      {},
      {
        signal: cancel.signal,
        stopEarly: (text) => {
          if (text.length >= 8) cancel.abort();
          return false;
        },
      },
    );
    expect(error).toBeUndefined();
    expect(completions).toEqual([{ text: "return s", complete: false, tokens: undefined }]);
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
  });

  test("aborting before anything came closes the connection", async () => {
    const replay = await replayed({ vendor });
    replay.faults.push({ kind: "silence" });
    const cancel = new AbortController();
    const asked = outcome(sourceAt(replay, { kind }), {}, { signal: cancel.signal });
    await expect.poll(() => replay.asked.length).toBe(1);
    cancel.abort();
    expect(await asked).toMatchObject({ texts: [], error: undefined });
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
  });

  test("one of several requests that fails does not take the others along", async () => {
    const replay = await replayed({ vendor, ignoresCount: true, completions: [LONG] });
    const source = sourceAt(replay, { kind });
    await outcome(source, { count: 2 });
    replay.faults.push({ kind: "status", status: 500 });
    const { texts, error } = await outcome(source, { count: 3 });
    expect(texts).toEqual([LONG.text, LONG.text]);
    expect(error?.kind).toBe("failed");
  });

  test("a stream that stays open after its last completion is closed without complaint", async () => {
    const replay = await replayed({ vendor, completions: [LONG] });
    replay.faults.push({ kind: "linger" });
    const { completions, error } = await outcome(sourceAt(replay, { kind }));
    expect(error).toBeUndefined();
    expect(completions).toMatchObject([{ text: LONG.text, complete: true }]);
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
  });

  test("a server that goes on writing is cut off as soon as the text is enough", async () => {
    const replay = await replayed({ vendor, completions: [LONG] });
    replay.faults.push({ kind: "flood" });
    const { completions } = await outcome(
      sourceAt(replay, { kind }),
      {},
      { stopEarly: (text) => text.length > 1000 },
    );
    expect(completions).toMatchObject([{ complete: true }]);
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
    // What was on its way in the sockets' buffers, and not all that the size limit would have let through.
    expect(replay.asked[0]?.pieces).toBeLessThan(8_000);
  });

  test("text without end is cut off", async () => {
    const replay = await replayed({ vendor, completions: [LONG] });
    replay.faults.push({ kind: "flood" });
    const { completions } = await outcome(sourceAt(replay, { kind }));
    expect(completions).toHaveLength(1);
    expect(completions[0]?.complete).toBe(false);
    expect(completions[0]?.text.length).toBeLessThan(70_000);
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
  });

  test("a server that is not there is told with its address", async () => {
    const replay = await startReplay({ vendor });
    await replay.close();
    const { error, spent } = await outcome(sourceAt(replay, { kind }));
    expect(error?.kind).toBe("unreachable");
    expect(error?.message).toContain(replay.url);
    expect(spent.requests).toBe(0);
  });
});

test("a request that is sent again on a fresh connection is one request", async () => {
  await using proxy = await startProxy();
  const replay = await replayed({ vendor: "mistral", completions: [LONG] });
  proxy.target = Number(new URL(replay.url).port);
  proxy.closesKept = true;
  const client = createHttpClient(() => ({ noProxy: [], strictSSL: true, proxy: proxy.url }));
  const config: SourceConfig = { id: "m", kind: "mistral", url: "http://models.example", model: "coder" };
  const source = createSource(config, client, async () => KEY);
  for (let turn = 0; turn < 3; turn++) {
    const { texts, error, spent } = await outcome(source);
    expect(error).toBeUndefined();
    expect(texts).toEqual([LONG.text]);
    expect(spent.requests).toBe(1);
  }
  expect(proxy.seen.length).toBeGreaterThan(3);
});

describe("too many requests", () => {
  const at = (headers: Readonly<Record<string, string>>): Fault => ({ kind: "status", status: 429, headers });
  const soon = () => Date.now();

  test.each([
    ["seconds", () => at({ "Retry-After": "120" }), 120_000],
    ["a date", () => at({ "Retry-After": new Date(soon() + 90_000).toUTCString() }), 90_000],
    ["milliseconds", () => at({ "retry-after-ms": "1500", "Retry-After": "2" }), 1_500],
    ["nothing", () => at({}), 30_000],
    ["nonsense", () => at({ "Retry-After": "soon" }), 30_000],
    ["years", () => at({ "Retry-After": "999999999" }), 24 * 60 * 60 * 1000],
  ])("Retry-After in %s", async (_, fault, pause) => {
    const replay = await replayed({ vendor: "mistral" });
    replay.faults.push(fault());
    const before = Date.now();
    const { error } = await outcome(sourceAt(replay, { kind: "mistral" }));
    const waited = (error?.retryAt ?? 0) - before;
    // Dates have whole seconds; the rest is the time the request took.
    expect(waited).toBeGreaterThan(pause - 1_500);
    expect(waited).toBeLessThan(pause + 60_000);
    expect(error?.message).toMatch(/before .*\d/);
  });
});

describe("what an endpoint says itself", () => {
  const detail = async (message: string) => {
    const replay = await replayed({ vendor: "openai" });
    replay.faults.push({ kind: "status", status: 400, json: { error: { message } } });
    return (await outcome(sourceAt(replay, { kind: "openai" }, KEY))).error?.message ?? "";
  };

  test("is shown on one line and shortened", async () => {
    const message = await detail(`context\n\tis\u0007 too long ${"!".repeat(5_000)}`);
    expect(message).toContain("“context is too long !!!");
    expect(message.length).toBeLessThan(300);
  });

  test("is not shown when it repeats code or the key", async () => {
    expect(await detail(`cannot parse ${PREFIX}`)).not.toContain("greatest");
    expect(await detail(`bad key ${KEY}`)).not.toContain(KEY);
  });
});
