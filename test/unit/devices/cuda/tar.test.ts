import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readArchive } from "../../../../server/devices/cuda/tar.ts";
import { ServiceError } from "../../../../server/errors.ts";
import { temporaryFolder } from "../../../helpers/checkpoints.ts";
import { archiveOf } from "../../../helpers/hub/npm-registry.ts";

async function read(archive: Buffer): Promise<Map<string, Buffer>> {
  const path = join(temporaryFolder(), "archive.tgz");
  writeFileSync(path, archive);
  const files = new Map<string, Buffer>();
  for await (const file of readArchive(path)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of file.content) pieces.push(piece);
    files.set(file.path, Buffer.concat(pieces));
  }
  return files;
}

const entry = fc.record({
  path: fc.stringMatching(/^package\/[a-z]{1,20}(\/[a-z0-9._-]{0,10}[a-z])?$/),
  content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
});

test("what was packed comes out again, files of any size, folders skipped", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(entry, { selector: ({ path }) => path, maxLength: 5 }),
      async (entries) => {
        const files = await read(archiveOf([{ path: "package", type: "5" }, ...entries]));
        expect(files).toEqual(new Map(entries.map(({ path, content }) => [path, content])));
      },
    ),
    { numRuns: 15 },
  );
});

test("a damaged archive gives a failure in words or plain names, never anything else", async () => {
  const whole = gunzipSync(
    archiveOf([
      { path: "package/bins/x/libggml.so", content: Buffer.alloc(700, 1) },
      { path: "package/package.json", content: Buffer.from("{}") },
    ]),
  );
  const change = fc.record({ at: fc.nat(whole.byteLength - 1), to: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 8 }),
      fc.nat(whole.byteLength),
      async (changes, end) => {
        const spoiled = Buffer.from(whole);
        for (const { at, to } of changes) spoiled[at] = to;
        try {
          for (const path of (await read(gzipSync(spoiled.subarray(0, end)))).keys()) {
            expect(path.split("/")).not.toContain("..");
            expect(path).toMatch(/^[A-Za-z0-9@_+./-]+$/);
            expect(path).not.toMatch(/^\//);
          }
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          expect(error.message).toMatch(/nothing of it was installed/);
        }
      },
    ),
    { numRuns: 60 },
  );
});
