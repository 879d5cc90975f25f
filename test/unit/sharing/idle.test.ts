import { describe, expect, it } from "vitest";
import { dueNow } from "../../../server/sharing/idle.ts";
import { Occupancy } from "../../../server/sharing/occupancy.ts";
import { LIMITS, type Presence } from "../../../shared/contract.ts";

const TIMES = { unloadMs: 300, exitMs: 900 };
const NOBODY = { requests: 0, windows: 0, lastRequest: 1000, lastWindow: 1000 };

describe("a server that is not used", () => {
  it("gives its memory back, and ends later", () => {
    expect(dueNow(NOBODY, TIMES, 1299)).toBeUndefined();
    expect(dueNow(NOBODY, TIMES, 1300)).toBe("unload");
    expect(dueNow(NOBODY, TIMES, 1899)).toBe("unload");
    expect(dueNow(NOBODY, TIMES, 1900)).toBe("exit");
  });

  it("gives its memory back though windows are open, and does not end under them", () => {
    expect(dueNow({ ...NOBODY, windows: 1 }, TIMES, 1e9)).toBe("unload");
  });

  it("counts from the last window's leaving", () => {
    expect(dueNow({ ...NOBODY, lastWindow: 5000 }, TIMES, 5899)).toBe("unload");
    expect(dueNow({ ...NOBODY, lastWindow: 5000 }, TIMES, 5900)).toBe("exit");
  });

  it("is left alone while it answers, and where it is told to stay", () => {
    expect(dueNow({ ...NOBODY, requests: 1 }, TIMES, 1e9)).toBeUndefined();
    expect(dueNow(NOBODY, { unloadMs: 0, exitMs: 0 }, 1e9)).toBeUndefined();
  });
});

describe("the life of a server", () => {
  it("tells windows how it is, until they leave or it ends", async () => {
    const occupancy = new Occupancy(TIMES);
    const told: Presence["state"][] = [];
    const leave = occupancy.attend(({ state }) => told.push(state));
    occupancy.tell({ state: "ready", model: "m" });
    expect(occupancy.windows).toBe(1);
    await occupancy.drain();
    occupancy.tell({ state: "unloaded", model: null });
    leave();
    leave();
    expect(occupancy.windows).toBe(0);
    expect(told).toEqual(["loading", "ready", "draining"]);
  });

  it("bounds what it takes, and a flood of bulk work turns nobody else away", async () => {
    const occupancy = new Occupancy(TIMES);
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const flood = Array.from({ length: LIMITS.openRequests }, () => occupancy.during("bulk", () => slow));
    await expect(occupancy.during("bulk", async () => "more")).rejects.toMatchObject({ code: "too_busy" });
    expect(await occupancy.during("interactive", async () => "typed")).toBe("typed");
    finish();
    await Promise.all(flood);
    expect(await occupancy.during("bulk", async () => "later")).toBe("later");
  });

  it("finishes what it has begun and takes nothing new when it drains", async () => {
    const occupancy = new Occupancy(TIMES);
    let finish = (_: string) => {};
    const work = occupancy.during(
      "bulk",
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
    );
    let drained = false;
    const end = occupancy.drain().then(() => {
      drained = true;
    });
    await expect(occupancy.during("interactive", async () => "new")).rejects.toMatchObject({
      code: "restarting",
      status: 503,
    });
    expect(drained).toBe(false);
    finish("done");
    expect(await work).toBe("done");
    await end;
    expect(drained).toBe(true);
  });
});
