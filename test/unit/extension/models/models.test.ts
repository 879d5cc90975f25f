import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gigabytes } from "../../../../shared/gigabytes.ts";
import { runForJson } from "../../../../src/models/command-line.ts";
import { parseModelList } from "../../../../src/models/model-list.ts";

const NEVER = new AbortController().signal;

describe("a command run for its result", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "codescaler-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function command(script: string) {
    const path = join(folder, "command.cjs");
    writeFileSync(path, script);
    return { execPath: process.execPath, script: path };
  }

  it("gives the JSON it prints and tells its progress", async () => {
    const lines: unknown[] = [];
    const line = command(`
      console.error('{"step":"download","done":1,"total":2}');
      console.error("a word for people");
      console.log(JSON.stringify({ args: process.argv.slice(2), token: process.env.HF_TOKEN }));`);
    const result = await runForJson(line, ["models", "list"], {
      signal: NEVER,
      env: { HF_TOKEN: "t" },
      onProgress: (progress) => lines.push(progress),
    });
    expect(result).toEqual({ args: ["models", "list"], token: "t" });
    expect(lines).toEqual([{ step: "download", done: 1, total: 2 }]);
  });

  it("fails with the sentence it says", async () => {
    const line = command(`console.error("The disk is full. Make room."); process.exitCode = 1;`);
    await expect(runForJson(line, [], { signal: NEVER })).rejects.toThrow("The disk is full. Make room.");
  });

  it("is stopped by the end of its stdin", async () => {
    const controller = new AbortController();
    const line = command(`
      process.stdin.on("end", () => { console.error("{}"); process.exit(1); }).resume();
      console.error('{"step":"wait"}');`);
    let stopped = false;
    const running = runForJson(line, [], {
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === "wait") controller.abort(new Error("stopped by the user"));
        else stopped = true;
      },
    });
    await expect(running).rejects.toThrow("stopped by the user");
    expect(stopped).toBe(true);
  });
});

describe("the list of models", () => {
  it("has the recommended one first, and leaves out what it does not understand", () => {
    const model = { installed: false, licence: "MIT", languages: ["python"], download_bytes: 3.46e9 };
    const list = parseModelList([
      { id: "nano", installed: true, embedded: true, type: "q8_0", bytes: 5_637_024 },
      { ...model, id: "large" },
      { ...model, id: "right", recommended: { type: "q8_0", reason: "It fits." } },
      { id: "from the future", installed: "perhaps" },
    ]);
    expect(list.installed.map(({ id }) => id)).toEqual(["nano"]);
    expect(list.available.map(({ id }) => id)).toEqual(["right", "large"]);
    expect(parseModelList("nonsense")).toEqual({ installed: [], available: [] });
  });

  it("says sizes as people do", () => {
    expect([5_637_024, 3_460_028_416, 100].map(gigabytes)).toEqual(["6 MB", "3.5 GB", "1 MB"]);
  });
});
