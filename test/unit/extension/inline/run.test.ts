import { describe, expect, it } from "vitest";
import type { RankReply } from "../../../../shared/contract.ts";
import { reasonOf } from "../../../../src/base/log.ts";
import { Run, type RunDependencies, type RunState } from "../../../../src/inline/run.ts";
import { Tracer } from "../../../../src/inline/trace/trace.ts";
import type { Ranking } from "../../../../src/ranking/ranking.ts";
import type { RankBody } from "../../../../src/ranking/server-client.ts";
import type { Arrival } from "../../../../src/sources/gather.ts";
import { SourceError } from "../../../../src/sources/source-error.ts";
import { cursorIn } from "../cursor.ts";
import { replyOf } from "../reply.ts";

const NEVER = new AbortController().signal;
const done = (state: RunState) => state.done;

function arrival(text: string): Arrival {
  return {
    kind: "completion",
    source: { id: "s", label: "S" },
    completion: { text, complete: true, tokens: 1 },
  };
}

/** Ranks longer texts higher, and remembers what it was asked. */
function lengthRanker(asked: string[][] = []): RunDependencies["rank"] {
  return async ({ candidates }: RankBody): Promise<RankReply> => {
    asked.push(candidates.map(({ text }) => text));
    const sorted = [...candidates].sort((a, b) => b.text.length - a.text.length);
    return replyOf(sorted.map(({ id, text }) => ({ id, code: text })));
  };
}

function start(deps: Partial<RunDependencies>, published: Ranking[] = []): Run {
  return new Run(
    "r1",
    cursorIn("return █"),
    {
      gather: async function* () {},
      check: async (_cursor, text) => ({
        insert: text,
        valid: text !== "bad",
        reason: text === "bad" ? "broken" : null,
      }),
      rank: lengthRanker(),
      sentenceOf: reasonOf,
      publish: (ranking) => published.push(ranking),
      ...deps,
    },
    new Tracer("command", "a.py", 1),
  );
}

describe("a run", () => {
  it("checks and ranks what arrives, and says when it is done", async () => {
    const published: Ranking[] = [];
    const run = start(
      {
        async *gather() {
          yield arrival("bad");
          yield arrival("a");
          yield arrival("a + b");
        },
      },
      published,
    );
    const state = await run.until(done, NEVER);
    expect(state.candidates.map(({ id, valid }) => [id, valid])).toEqual([
      ["c1", false],
      ["c2", true],
      ["c3", true],
    ]);
    expect(state.reply?.candidates.map(({ code }) => code)).toEqual(["a + b", "bad", "a"]);
    expect(published.at(-1)).toMatchObject({ id: "r1", complete: true, problems: [] });
  });

  it("ranks early candidates while later ones are on their way", async () => {
    const asked: string[][] = [];
    const { promise, resolve } = deferred<void>();
    const run = start({
      rank: lengthRanker(asked),
      async *gather() {
        yield arrival("first");
        await promise;
        yield arrival("the second");
      },
    });
    const early = await run.until((state) => state.ranked === 1, NEVER);
    expect(early.gathered).toBe(false);
    expect(early.reply?.candidates).toHaveLength(1);
    resolve();
    await run.until(done, NEVER);
    expect(asked).toEqual([["first"], ["first", "the second"]]);
  });

  it("sends candidates of one answer in one request", async () => {
    const asked: string[][] = [];
    const run = start({
      rank: lengthRanker(asked),
      async *gather() {
        yield arrival("a");
        yield arrival("b");
        yield arrival("c");
      },
    });
    await run.until(done, NEVER);
    expect(asked).toEqual([["a", "b", "c"]]);
  });

  it("has its candidates without an order when the reward server fails, and says why", async () => {
    const run = start({
      rank: async () => {
        throw new Error("The reward server is down.");
      },
      async *gather() {
        yield arrival("a");
      },
    });
    const state = await run.until(done, NEVER);
    expect(state.candidates).toHaveLength(1);
    expect(state.reply).toBeUndefined();
    expect(state.problems).toEqual(["The reward server is down."]);
  });

  it("leaves out the line that a model did not come to the end of", async () => {
    const asked: string[][] = [];
    const cutOff = { text: "a +\\\n    b\nprint(a", complete: false, tokens: 8 };
    const run = start({
      rank: lengthRanker(asked),
      async *gather() {
        yield { kind: "completion", source: { id: "s", label: "S" }, completion: cutOff };
      },
    });
    const { candidates } = await run.until(done, NEVER);
    expect(candidates.map(({ insert }) => insert)).toEqual(["a +\\\n    b\n"]);
    expect(asked).toEqual([["a +\\\n    b\n"]]);
  });

  it("goes on with the others when a source fails", async () => {
    const run = start({
      async *gather() {
        const error = new SourceError("loading", { source: "S" });
        yield { kind: "failure", source: { id: "s", label: "S" }, error };
        yield arrival("a");
      },
    });
    const state = await run.until(done, NEVER);
    expect(state.problems).toEqual([
      "S is still loading its model. It is asked again with the next request.",
    ]);
    expect(state.ranked).toBe(1);
  });

  it("stops asking and ranking when it is cancelled, and keeps what has arrived", async () => {
    let rankSignal: AbortSignal | undefined;
    let gatherSignal: AbortSignal | undefined;
    const run = start({
      rank: (_body, signal) => {
        rankSignal = signal;
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      async *gather(signal) {
        gatherSignal = signal;
        yield arrival("a");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
    });
    await run.until((state) => state.candidates.length === 1, NEVER);
    await run.until(() => rankSignal !== undefined, NEVER, 100);
    run.cancel();
    const state = await run.until(done, NEVER);
    expect(gatherSignal?.aborted).toBe(true);
    expect(rankSignal?.aborted).toBe(true);
    expect(state.candidates).toHaveLength(1);
    expect(state.problems).toEqual([]);
  });

  it("lets go of whoever waits when their own signal is aborted", async () => {
    const controller = new AbortController();
    const run = start({
      async *gather(signal) {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
    });
    const waiting = run.until(done, controller.signal);
    controller.abort(new Error("typed on"));
    await expect(waiting).rejects.toThrow("typed on");
    await expect(run.until(done, controller.signal)).rejects.toThrow("typed on");
    run.cancel();
  });

  it("takes the whole lines of what is being written, and gives their place to what it becomes", async () => {
    const asked: string[][] = [];
    const { promise, resolve } = deferred<void>();
    const source = { id: "s", label: "S" };
    const run = start({
      rank: lengthRanker(asked),
      async *gather(_signal, onDraft) {
        const [long, short] = [{}, {}];
        onDraft(source, long, "a = 1\nb = 2\nretu");
        onDraft(source, short, "no line yet");
        await promise;
        onDraft(source, long, undefined);
        yield arrival("a = 1\nb = 2\nreturn a");
      },
    });
    expect(await run.takeDrafts()).toBe(1);
    expect(await run.takeDrafts(), "the same lines once").toBe(0);
    expect(run.state.candidates).toMatchObject([{ id: "c1", text: "a = 1\nb = 2", draft: true }]);
    await run.until((state) => state.ranked === 1, NEVER);
    resolve();
    const { candidates, reply } = await run.until(done, NEVER);
    expect(candidates).toMatchObject([{ id: "c1", text: "a = 1\nb = 2\nreturn a", draft: false }]);
    expect(reply?.candidates.map(({ code }) => code)).toEqual(["a = 1\nb = 2\nreturn a"]);
    expect(asked).toEqual([["a = 1\nb = 2"], ["a = 1\nb = 2\nreturn a"]]);
  });

  it("is done at once when nothing comes", async () => {
    const run = start({});
    expect(await run.until(done, NEVER)).toMatchObject({ candidates: [], reply: undefined, gathered: true });
  });
});

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
