/** Pipes, links and folders where a file of ours should be. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { takeLock } from "../../../server/files/file-lock.ts";
import { capLog } from "../../../server/sharing/log-file.ts";
import { openFile, readFileText } from "../../../shared/regular-file.ts";
import { LEASE_FILE } from "../../../shared/sharing/lease.ts";
import { readLease } from "../../../shared/sharing/read-lease.ts";

const posix = process.platform !== "win32";
const folder = () => mkdtempSync(join(tmpdir(), "codescaler-files-"));

function pipe(path: string): string {
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  return path;
}

describe.skipIf(!posix)("what is no ordinary file (not on Windows)", () => {
  test("is neither read nor written, and nobody hangs", async () => {
    const there = folder();
    writeFileSync(join(there, "other"), "precious");
    symlinkSync(join(there, "other"), join(there, "link"));
    mkdirSync(join(there, "folder"));
    const odd = [pipe(join(there, "pipe")), join(there, "link"), join(there, "folder")];
    for (const path of odd) {
      const words = `${path} is not an ordinary file. Remove it.`;
      await expect(readFileText(path, 100)).rejects.toThrow(words);
      await expect(openFile(path, "append")).rejects.toThrow(words);
    }
    expect(readFileSync(join(there, "other"), "utf8")).toBe("precious");
  });

  test("is no lock of anybody", async () => {
    const lock = await takeLock(pipe(join(folder(), "lock")));
    expect(lock).toBeDefined();
    await lock?.release();
  });

  test("is no lease", async () => {
    const there = folder();
    pipe(join(there, LEASE_FILE));
    expect(await readLease(there)).toBeUndefined();
  });

  test("is not cut as a log", () => {
    const there = folder();
    writeFileSync(join(there, "other"), "x".repeat(2 ** 21));
    symlinkSync(join(there, "other"), join(there, "log"));
    capLog(join(there, "log"));
    expect(readFileSync(join(there, "other")).length).toBe(2 ** 21);
    capLog(pipe(join(there, "pipe")));
  });
});

test("an ordinary file is made, appended to and read, up to a length", async () => {
  const path = join(folder(), "file");
  for (const text of ["a", "b"]) {
    const file = await openFile(path, "append");
    await file.appendFile(text);
    await file.close();
  }
  expect(await readFileText(path, 2)).toBe("ab");
  await expect(readFileText(path, 1)).rejects.toThrow(RangeError);
  await expect(openFile(join(folder(), "none"), "read")).rejects.toThrow("ENOENT");
  expect(existsSync(path)).toBe(true);
});
