import { describe, expect, it } from "vitest";
import { HINTS, hintFor } from "../../../../src/reward-server/death-hints.ts";
import { MAX_RESTARTS, restartDelay, WINDOW_MS } from "../../../../src/reward-server/restart-budget.ts";

describe("restarts", () => {
  it("wait longer each time and are given up in a crash loop", () => {
    const delays: (number | undefined)[] = [];
    const ends: number[] = [];
    for (let index = 0; index <= MAX_RESTARTS; index++) {
      ends.push(index * 1000);
      delays.push(restartDelay(ends, index * 1000));
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, undefined]);
  });

  it("forget crashes that are long past", () => {
    expect(restartDelay([0, 0, 0, 0, 0, WINDOW_MS + 1], WINDOW_MS + 1)).toBe(500);
  });
});

describe("hints", () => {
  it.each([
    ["ggml_vulkan: Device memory allocation failed: ErrorOutOfDeviceMemory", /smaller model or type/],
    ["Process 12 ended with SIGKILL.", /memory ran out/],
    ["Process 12 ended with SIGSEGV.", /engine crashed/],
    ["libvulkan.so.1: cannot open shared object file", /library .* missing/],
    ["vk::Device::waitForFences: ErrorDeviceLost", /driver/],
    ["node: /lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.31' not found", /C library/],
    ["write failed: ENOSPC", /disk is full/],
    ["signal SIGILL", /processor/],
  ])("say what to do about %s", (output, hint) => {
    const known = hintFor(output);
    expect(known && HINTS[known]).toMatch(hint);
  });

  it("say nothing about what is not known", () => {
    expect(hintFor("Error: something else")).toBeUndefined();
  });
});
