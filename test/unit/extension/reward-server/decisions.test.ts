/** What a window makes of changed settings and of what a server tells. */
import { describe, expect, it } from "vitest";
import { RankError } from "../../../../src/ranking/server-client.ts";
import { type Change, changeFor, type Present, stateFrom } from "../../../../src/reward-server/decisions.ts";
import { afterEnd } from "../../../../src/reward-server/restart-budget.ts";
import type { ServerOptions } from "../../../../src/reward-server/server-interface.ts";

const lease = { version: "0.1.0", pid: 4711, port: 1, token: "t", device: "auto" as const };
const wanted: ServerOptions = { url: "", engines: [], model: "", device: "auto", unloadAfter: 5 };
const url = "http://127.0.0.1:8137";

function present(some: Partial<Present> = {}): Present {
  return { state: "ready", ownUrl: undefined, lease, folder: "run", ...some };
}

describe("changed settings", () => {
  it.each<[string, Present, Partial<ServerOptions>, string, Change]>([
    ["that do not concern the server", present(), {}, "run", "nothing"],
    [
      "while no server is used",
      present({ state: "stopped", lease: undefined }),
      { device: "cpu" },
      "run",
      "nothing",
    ],
    ["after a failure", present({ state: "failed", lease: undefined }), {}, "run", "forget"],
    ["of the device", present(), { device: "cpu" }, "run", "restart"],
    ["of the engines", present(), { engines: ["http://a"] }, "run/engines", "move"],
    ["to a server of one's own", present(), { url }, "run", "connect"],
    [
      "to another of one's own",
      present({ ownUrl: "http://other", lease: undefined }),
      { url },
      "run",
      "restart",
    ],
    ["back to the shared server", present({ ownUrl: url, lease: undefined }), {}, "run", "move"],
    [
      "of the device, which one's own server does not heed",
      present({ ownUrl: url, lease: undefined }),
      { url, device: "cpu" },
      "run",
      "nothing",
    ],
  ])("%s", (_what, now, changed, folder, change) => {
    expect(changeFor(now, { ...wanted, ...changed }, folder)).toBe(change);
  });
});

describe("a server that failed", () => {
  it("is shown with its words, and with their code for other languages", () => {
    const told = {
      state: "failed",
      model: null,
      problem: "No model named x.",
      code: "model_not_found",
    } as const;
    expect(stateFrom(told, url, "0.1.0")).toMatchObject({
      kind: "failed",
      problem: { code: "model_not_found", message: "No model named x." },
    });
    // A server of an earlier version says no code.
    const older = { state: "failed", model: null, problem: "No model named x." } as const;
    expect(stateFrom(older, url, "0.1.0")).toMatchObject({ problem: { code: "unreachable" } });
  });

  it("is not started again when it refused, and otherwise until it died too often", () => {
    const problem = new RankError("unreachable", "It ended.", { hint: "memory" });
    expect(afterEnd(problem, { code: 1, signal: null }, [0], 0)).toEqual({ kind: "refused", problem });
    expect(afterEnd(problem, { code: 134, signal: null }, [0], 0)).toMatchObject({
      kind: "again",
      delay: 500,
    });
    expect(afterEnd(problem, undefined, [0, 0, 0, 0, 0], 0)).toMatchObject({
      kind: "given up",
      problem: { hint: "memory", message: expect.stringMatching(/^It ended\. It was restarted 4 times/) },
    });
  });
});
