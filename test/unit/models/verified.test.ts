/** The check of a model's weights before it is used for the first time. */
import { copyFileSync, mkdtempSync, openSync, statSync, utimesSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mediaFolder } from "../../../server/files/package-files.ts";
import { verifyOnce } from "../../../server/models/verified.ts";

let folder: string;
let model: string;
const before = process.env["CODESCALER_CACHE"];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "codescaler-verified-"));
  process.env["CODESCALER_CACHE"] = join(folder, "cache");
  model = join(folder, "model.gguf");
  copyFileSync(join(mediaFolder, "nano.gguf"), model);
});
afterEach(() => {
  if (before === undefined) delete process.env["CODESCALER_CACHE"];
  else process.env["CODESCALER_CACHE"] = before;
});

/** How many bytes were read for it. */
async function bytesRead(): Promise<number> {
  let read = 0;
  await verifyOnce(model, {
    onProgress: (done) => {
      read = done;
    },
  });
  return read;
}

/** Changes 64 bytes of the weights, and puts the times back that anybody can. */
function damage(): void {
  const { atime, mtime, size } = statSync(model);
  writeSync(openSync(model, "r+"), Buffer.alloc(64, 0x55), 0, 64, size - 4096);
  utimesSync(model, atime, mtime);
}

test("a file is read once, also by another process, and again after a change", async () => {
  expect(await bytesRead()).toBe(statSync(model).size);
  expect(await bytesRead()).toBe(0);
  utimesSync(model, 1, 1);
  expect(await bytesRead()).toBe(statSync(model).size);
});

test("64 changed bytes are found, before the first use and after it", async () => {
  damage();
  await expect(bytesRead()).rejects.toThrow("is damaged: its content does not match its checksum");
  await expect(bytesRead()).rejects.toThrow("is damaged");
  copyFileSync(join(mediaFolder, "nano.gguf"), model);
  await bytesRead();
  damage();
  await expect(bytesRead()).rejects.toThrow("is damaged");
});

test("a record that cannot be read or written costs a check, nothing else", async () => {
  process.env["CODESCALER_CACHE"] = model;
  expect(await bytesRead()).toBeGreaterThan(0);
  expect(await bytesRead()).toBeGreaterThan(0);
});

test("it can be cancelled", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(verifyOnce(model, { signal })).rejects.toThrow("enough");
});
