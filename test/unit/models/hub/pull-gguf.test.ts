/** A GGUF of the Hub becomes an installed model as it is. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServiceError } from "../../../../server/errors.ts";
import { packageRoot } from "../../../../server/files/package-files.ts";
import { recommendWriter, WRITERS, writerMemoryBytes } from "../../../../server/models/catalogue/writers.ts";
import { hubAt } from "../../../../server/models/hub/hub-site.ts";
import { ggufTarget, type PullGgufOptions, pullGguf } from "../../../../server/models/hub/pull-gguf.ts";
import { unfinishedDownloads } from "../../../../server/models/hub/staging.ts";
import { removeModel } from "../../../../server/models/remove-model.ts";
import { openStore } from "../../../../server/models/store.ts";
import { temporaryFolder } from "../../../helpers/checkpoints.ts";
import { type HubServer, startHub } from "../../../helpers/hub/hub.ts";
import { failureOf } from "../../../helpers/refusal.ts";

const GGUF = readFileSync(join(packageRoot, "media", "golden.gguf"));
const REPOSITORY = "Some-One/Coder-GGUF";
const FILE = "coder-q4_k_m.gguf";

let hub: HubServer;
let folder: string;
beforeEach(async () => {
  hub = await startHub();
  folder = join(temporaryFolder(), "models");
  serve({ [FILE]: GGUF, "README.md": Buffer.from("words") });
});
afterEach(() => hub.close());

function serve(files: Readonly<Record<string, Buffer>>, commit = "c".repeat(40)): void {
  hub.repositories.set(REPOSITORY, {
    commit,
    files: new Map(Object.entries(files).map(([path, content]) => [path, { content, storage: "lfs" }])),
  });
}

function pull(file = FILE, more: Partial<PullGgufOptions> = {}) {
  const target = ggufTarget(`${REPOSITORY}/${file}`);
  if (target === undefined) throw new Error("no target");
  return pullGguf(target, {
    hub: { ...hubAt(hub.endpoint), retryMs: 1, silenceMs: 5000 },
    folder,
    signal: new AbortController().signal,
    ...more,
  });
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const { code, message } = await failureOf(work);
  return `${code}: ${message}`;
}

describe("pulling a GGUF", () => {
  test("installs the very bytes under the file's name, with progress, and leaves no download", async () => {
    const steps: number[] = [];
    const pulled = await pull(FILE, { onProgress: ({ done, total }) => steps.push(done / total) });
    expect(pulled).toEqual({
      name: "coder-q4_k_m",
      path: join(folder, FILE),
      bytes: GGUF.byteLength,
      fetched: true,
    });
    expect(readFileSync(pulled.path).equals(GGUF)).toBe(true);
    expect(steps.at(-1)).toBe(1);
    expect(await unfinishedDownloads(folder)).toEqual([]);
    expect((await openStore(temporaryFolder(), folder).find("coder-q4_k_m"))?.path).toBe(pulled.path);
  });
  test("a second pull fetches nothing; a newer content is fetched", async () => {
    await pull();
    const requests = hub.seen.length;
    expect((await pull()).fetched).toBe(false);
    expect(hub.seen.slice(requests).filter(({ where }) => where === "cdn")).toEqual([]);
    serve({ [FILE]: Buffer.concat([GGUF, Buffer.alloc(32)]) }, "d".repeat(40));
    expect((await pull()).fetched).toBe(true);
  });
  test("a cut download continues where it stopped", async () => {
    const half = Math.floor(GGUF.byteLength / 2);
    const stop = new AbortController();
    hub.fault = ({ where }) => (where === "cdn" ? { kind: "stall", after: half } : undefined);
    const first = pull(FILE, {
      signal: stop.signal,
      onProgress: ({ done }) => done >= half && stop.abort(new ServiceError("cancelled", "stopped")),
    });
    expect(await refusal(first)).toBe("cancelled: stopped");
    expect(await unfinishedDownloads(folder)).toMatchObject([{ repository: REPOSITORY }]);
    hub.fault = () => undefined;
    expect((await pull()).fetched).toBe(true);
    expect(hub.seen.at(-1)?.range).toMatch(/^bytes=[1-9]/);
  });
  test("content that is no GGUF is refused and not kept", async () => {
    serve({ [FILE]: Buffer.from("<!DOCTYPE html><title>Sign in</title>") });
    expect(await refusal(pull())).toMatch(/^model_unusable: /);
    expect(existsSync(join(folder, FILE))).toBe(false);
    expect(await unfinishedDownloads(folder)).toEqual([]);
  });
  test("a file that is not there is answered with those that are", async () => {
    expect(await refusal(pull("other.gguf"))).toBe(
      `model_not_found: ${REPOSITORY} has no file other.gguf. It has ${FILE}.`,
    );
  });
  test("one part of several is refused before anything is fetched", async () => {
    expect(await refusal(pull("big-00001-of-00003.gguf"))).toMatch(/^model_unusable: .*one part of several/);
    expect(hub.seen).toEqual([]);
  });
  test("removing the model removes what was kept beside it", async () => {
    const { path } = await pull();
    await removeModel(openStore(temporaryFolder(), folder), "coder-q4_k_m");
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.source.json`)).toBe(false);
  });
});

describe("names", () => {
  test("a writer of the catalogue is its file of the Hub", () => {
    expect(ggufTarget("qwen2.5-coder-0.5b")).toEqual({
      repository: "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
      file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
      name: "qwen2.5-coder-0.5b",
    });
  });
  test.each([
    "codescaler-1.7b",
    "owner/name",
    "../x/file.gguf",
    "a/b/c/d.gguf",
    "a/b/../x.gguf",
    "a--b/c/f.gguf",
  ])("%s is no GGUF of the Hub", (wanted) => expect(ggufTarget(wanted)).toBeUndefined());
});

describe("the recommended writer", () => {
  test("is the largest that fits, and on a CPU none that writes slower than one reads", () => {
    expect(recommendWriter(64e9, true)?.id).toBe("qwen2.5-coder-7b");
    expect(recommendWriter(64e9, false)?.id).toBe("qwen2.5-coder-1.5b");
    expect(recommendWriter(1.2e9, false)?.id).toBe("qwen2.5-coder-0.5b");
    expect(recommendWriter(0.5e9, false)).toBeUndefined();
  });
  test("memory is more than the file", () => {
    for (const model of WRITERS) expect(writerMemoryBytes(model)).toBeGreaterThan(model.bytes);
  });
});
