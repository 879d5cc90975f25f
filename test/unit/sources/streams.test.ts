/** Framing and putting together: streams cut anywhere, merged in order of arrival. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HttpReply } from "../../../shared/http/send.ts";
import { merge } from "../../../src/base/merge.ts";
import { CompletionAssembler } from "../../../src/sources/http/completion-assembler.ts";
import { DONE, type Framing, jsonValues } from "../../../src/sources/http/framing.ts";

/** An answer that arrives in the given chunks. */
function reply(chunks: readonly Uint8Array[], type = ""): HttpReply {
  const body = (async function* () {
    yield* chunks;
  })();
  return { status: 200, header: () => type, body, waitAtMost: () => {}, discard: () => {} };
}

async function values(chunks: readonly Uint8Array[], framing: Framing, type = ""): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of jsonValues(reply(chunks, type), framing, "Tested", "http://x")) all.push(value);
  return all;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Cuts bytes at the given places. */
function cutAt(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (whole.length + 1)), whole.length].sort(
    (a, b) => a - b,
  );
  return sorted.slice(1).map((end, index) => whole.slice(sorted[index], end));
}

const json = fc.record({ text: fc.string({ unit: "grapheme" }), index: fc.nat(7) });

describe("values of a stream", () => {
  test.each<[Framing, string]>([
    ["sse", "\n"],
    ["sse", "\r\n"],
    ["ndjson", "\n"],
    ["ndjson", "\r\n"],
  ])("%s with %j arrive whole wherever the bytes are cut", async (framing, end) => {
    await fc.assert(
      fc.asyncProperty(fc.array(json), fc.array(fc.nat(10_000)), async (all, places) => {
        const text = all
          .map((value) =>
            framing === "sse" ? `data: ${JSON.stringify(value)}${end}${end}` : JSON.stringify(value) + end,
          )
          .join("");
        expect(await values(cutAt(bytes(text), places), framing)).toEqual(all);
      }),
    );
  });

  test("comments, other fields, empty lines and a missing last line end are no matter", async () => {
    const text =
      ': ping\n\nevent: message\nid: 7\nretry: 10\ndata:{"a":1}\n\n\ndata: {"a":2}\n\ndata: [DONE]';
    expect(await values([bytes(text)], "sse")).toEqual([{ a: 1 }, { a: 2 }, DONE]);
  });

  test("an unstreamed answer is one value, also when it is spread over lines", async () => {
    const text = JSON.stringify({ assembler: [{ text: "a\nb" }] }, undefined, 2);
    expect(await values([bytes(text)], "sse", "application/json")).toEqual([
      { assembler: [{ text: "a\nb" }] },
    ]);
    expect(await values([bytes('{"done":true}')], "ndjson", "application/json")).toEqual([{ done: true }]);
  });

  test("an event stream that is announced as JSON is read all the same", async () => {
    const text = 'data: {"a":1}\n\ndata: [DONE]\n\n';
    expect(await values([bytes(text)], "sse", "application/json")).toEqual([{ a: 1 }, DONE]);
  });

  test.each<[string, Framing, string, string]>([
    ["<!DOCTYPE html><html></html>", "sse", "text/html", "web_page"],
    ["  <html>", "ndjson", "text/plain", "web_page"],
    ["<html>", "sse", "text/event-stream", "web_page"],
    ["data: {", "sse", "", "malformed"],
    ["null {", "ndjson", "", "malformed"],
    [`data: ${"x".repeat(5_000_000)}`, "sse", "", "malformed"],
  ])("%.20s is refused", async (text, framing, type, kind) => {
    await expect(values([bytes(text)], framing, type)).rejects.toMatchObject({ kind });
  });
});

describe("completions of a stream", () => {
  test("are put together however their pieces are interleaved", () => {
    const pieces = fc.array(fc.tuple(fc.nat(3), fc.string()), { maxLength: 50 });
    fc.assert(
      fc.property(pieces, (all) => {
        const assembler = new CompletionAssembler(4, {});
        for (const [index, piece] of all) expect(assembler.add(index, piece)).toBeUndefined();
        for (const index of [0, 1, 2, 3]) {
          const text = all.flatMap(([at, piece]) => (at === index ? [piece] : [])).join("");
          expect(assembler.end(index, true, undefined)).toEqual({ text, complete: true, tokens: undefined });
        }
        expect(assembler.finished).toBe(true);
      }),
    );
  });

  test("with an index that was not asked for are ignored", () => {
    const assembler = new CompletionAssembler(1, {});
    for (const index of [-1, 1, 1e9, 0.5, Number.NaN]) expect(assembler.add(index, "x")).toBeUndefined();
    expect([...assembler.endAll(false)]).toEqual([]);
  });

  test("are given once, also when the endpoint goes on after their end", () => {
    const assembler = new CompletionAssembler(1, { stopEarly: (text) => text.includes(";") });
    expect(assembler.add(0, "a;")).toMatchObject({ text: "a;", complete: true });
    expect(assembler.add(0, "b;")).toBeUndefined();
    expect(assembler.end(0, true, 3)).toBeUndefined();
    expect([...assembler.endAll(true)]).toEqual([]);
  });
});

describe("merging", () => {
  async function* made(values: readonly string[], error?: Error) {
    for (const value of values) yield value;
    if (error !== undefined) throw error;
  }

  test("gives everything of all, and the first error after that", async () => {
    const all: string[] = [];
    const streams = [made(["a", "b"], new Error("first")), made([], new Error("second")), made(["c"])];
    const drained = (async () => {
      for await (const value of merge(streams)) all.push(value);
    })();
    await expect(drained).rejects.toThrow(/first|second/);
    expect([...all].sort()).toEqual(["a", "b", "c"]);
  });

  test("of nothing is nothing", async () => {
    for await (const value of merge([])) expect(value).toBeUndefined();
  });

  test("lets every stream clean up when the consumer leaves", async () => {
    const cleaned: string[] = [];
    async function* careful(name: string) {
      try {
        for (;;) yield name;
      } finally {
        cleaned.push(name);
      }
    }
    for await (const _ of merge([careful("a"), careful("b")])) break;
    await expect.poll(() => [...cleaned].sort()).toEqual(["a", "b"]);
  });
});
