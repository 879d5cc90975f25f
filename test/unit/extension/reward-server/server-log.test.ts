/** What is told of a reward server that ended, from the last words in its log. */
import { describe, expect, test } from "vitest";
import { deathOf } from "../../../../src/reward-server/server-log.ts";

describe("a server that ended", () => {
  test("is told by its own sentence", () => {
    const said = "Port 8137 is in use. Choose another one with --port.";
    expect(deathOf({ code: 1, signal: null }, [said]).message).toBe(
      `The reward server ended (code 1). ${said}`,
    );
  });

  test("is told in a whole sentence where the disk took only a part of its last line", () => {
    const cut = "/home/ada/.local/state/codescaler/run/pc/server-v1.lock cannot be wr";
    const told = deathOf({ code: 1, signal: null }, ["A line before.", cut]).message;
    expect(told).toContain(`“${cut}”`);
    expect(told).toMatch(/disk may be full\.$/);
  });

  test("is told what to do where the reason is known", () => {
    const told = deathOf({ code: 1, signal: null }, ["Error: ENOSPC: no space left on device, write"]);
    expect(told.message).toMatch(/The disk is full\. Free some space/);
    expect(told.hint).toBe("disk");
  });
});
