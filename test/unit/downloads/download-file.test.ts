/** Requests and downloads against a local Hub over real HTTP, with everything that goes wrong in between. */

import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { downloadFile, type RemoteFile } from "../../../server/downloads/download-file.ts";
import { get } from "../../../server/downloads/get.ts";
import type { Site } from "../../../server/downloads/site.ts";
import { ServiceError } from "../../../server/errors.ts";
import { fileAddress, readRepository } from "../../../server/models/hub/hub.ts";
import { hubAt, hubFromEnvironment } from "../../../server/models/hub/hub-site.ts";
import { retryAfterMs } from "../../../shared/http/retry-after.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";
import { type Fault, type HubServer, type Seen, type Storage, startHub } from "../../helpers/hub/hub.ts";
import { refusal } from "../../helpers/refusal.ts";

const ID = "Someone/Some-Model";
const COMMIT = "b".repeat(40);
const CONTENT = randomBytes(300_000);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
const NAME = "model.safetensors";

let server: HubServer;
beforeEach(async () => {
  server = await startHub({ page: 2 });
  store("lfs");
});
afterEach(() => server.close());

function store(storage: Storage, more: { gatedFor?: string } = {}): void {
  const files = new Map([
    ["config.json", { content: Buffer.from('{"a": 1}\n'), storage: "git" as const }],
    [NAME, { content: CONTENT, storage }],
    ["tokenizer.json", { content: Buffer.from("{}"), storage: "git" as const }],
  ]);
  server.repositories.set(ID, { commit: COMMIT, files, ...more });
}

const signal = new AbortController().signal;
/** Short pauses: what is tested is that there are some, not how long. */
const hub = ({ endpoint = server.endpoint, token, ...more }: Partial<Site> = {}): Site => ({
  ...hubAt(endpoint, token),
  retryMs: 1,
  silenceMs: 5000,
  ...more,
});

interface Downloaded {
  readonly target: string;
  readonly bytes: number[];
}

/** Lists the repository and downloads one file of it. */
async function download(
  client = hub(),
  options: { target?: string; name?: string; signal?: AbortSignal } = {},
): Promise<Downloaded> {
  const name = options.name ?? NAME;
  const target = options.target ?? join(temporaryFolder(), name);
  const repository = await readRepository(client, ID, "main", signal);
  const file = repository.files.find(({ path }) => path === name);
  if (file === undefined) throw new Error(`${name} is not listed`);
  const bytes: number[] = [];
  await downloadFile(client, fileAddress(client, repository, name), file, target, {
    signal: options.signal ?? signal,
    repository: repository.id,
    onBytes: (count) => bytes.push(count),
  });
  return { target, bytes };
}

const of = (where: Seen["where"]) => server.seen.filter((one) => one.where === where);
const faulty = (where: Seen["where"], times: number, fault: Fault, path = "") => {
  server.fault = (request, nth) =>
    request.where === where && request.path.includes(path) && nth <= times ? fault : undefined;
};

describe("the listing", () => {
  test("names the commit and every file with its own hash, over several pages", async () => {
    const repository = await readRepository(hub(), ID, "main", signal);
    expect(repository).toMatchObject({ id: ID, commit: COMMIT });
    expect(repository.files).toEqual([
      {
        path: "config.json",
        size: 9,
        // From `git hash-object`.
        hash: { kind: "git-sha1", value: "cb5b2f69babc53f9145b45ad20b9a075d48717ef" },
      },
      { path: NAME, size: CONTENT.byteLength, hash: { kind: "sha256", value: SHA256 } },
      expect.objectContaining({ path: "tokenizer.json" }),
    ]);
  });

  test("a chunk-store file has its SHA-256; its chunk hash is not taken for one", async () => {
    store("xet");
    const { files } = await readRepository(hub(), ID, "main", signal);
    expect(files.find(({ path }) => path === NAME)?.hash).toEqual({
      kind: "sha256",
      value: SHA256,
    });
  });

  test("a file without a hash of its content is not offered", async () => {
    const entry = { type: "file", path: NAME, size: 5, oid: "0".repeat(40) };
    const entries = [
      { ...entry, xetHash: "1".repeat(64) },
      { ...entry, lfs: { size: 5 } },
      { ...entry, oid: "short" },
      { ...entry, size: -1 },
      { ...entry, size: 1e300 },
      { ...entry, type: "directory" },
      null,
    ];
    const body = JSON.stringify(entries);
    faulty(
      "api",
      9,
      { kind: "reply", status: 200, body, headers: { "Content-Type": "application/json" } },
      "/tree/",
    );
    expect((await readRepository(hub(), ID, "main", signal)).files).toEqual([]);
  });

  test("a renamed repository is found under its new name", async () => {
    server.repositories.set("Old/Name", { commit: COMMIT, files: new Map(), movedTo: ID });
    expect((await readRepository(hub(), "Old/Name", "main", signal)).id).toBe(ID);
  });

  test.each<[string, Fault, RegExp]>([
    ["a web page", html(), /sent a web page instead of the description of Someone\/Some-Model/],
    ["no JSON", { kind: "reply", status: 200, body: "ok" }, /something that is no JSON/],
    ["other JSON", { kind: "reply", status: 200, body: "[]" }, /does not answer as a Hugging Face Hub/],
    ["a proxy that wants a password", { kind: "reply", status: 407 }, /proxy asks for a name and a password/],
    ["a proxy that forbids", { kind: "reply", status: 403 }, /a proxy may forbid it/],
    ["some other status", { kind: "reply", status: 418 }, /refuses the request \(status 418\)/],
    [
      "pages elsewhere",
      { kind: "headers", headers: { Link: '<https://elsewhere.test/x>; rel="next"' } },
      /continues its list elsewhere/,
    ],
  ])("%s is one clear sentence", async (_what, fault, sentence) => {
    faulty("api", 99, fault);
    expect(await refusal(readRepository(hub(), ID, "main", signal))).toMatch(sentence);
  });

  test("unknown names and revisions", async () => {
    expect(await refusal(readRepository(hub(), "No/Body", "main", signal))).toMatch(/knows no No\/Body/);
    expect(await refusal(readRepository(hub({ token: "t" }), "No/Body", "main", signal))).toMatch(
      /knows no No\/Body that the account of HF_TOKEN may see/,
    );
    expect(await refusal(readRepository(hub(), ID, "v2", signal))).toMatch(/has no such revision/);
  });

  test("a server that nobody hears is said so", async () => {
    const closed = await startHub();
    await closed.close();
    const message = await refusal(readRepository(hub({ endpoint: closed.endpoint }), ID, "main", signal));
    expect(message).toMatch(/cannot be reached \(the connection was refused\).*run the same command again/);
  });
});

describe("tokens", () => {
  test("a gated repository opens with its token, which no other host sees", async () => {
    store("lfs", { gatedFor: "hf_right" });
    const { target } = await download(hub({ token: "hf_right" }));
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(of("cdn").map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(of("resolve").every(({ authorization }) => authorization === "Bearer hf_right")).toBe(true);
  });

  test("the token stays on the port it was meant for, and is not sent over a redirect elsewhere", async () => {
    const thief = await startHub();
    faulty("api", 99, {
      kind: "reply",
      status: 302,
      headers: { Location: `${thief.endpoint}/api/models/x/y/revision/z` },
    });
    await refusal(readRepository(hub({ token: "hf_secret" }), ID, "main", signal));
    expect(thief.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    await thief.close();
  });

  test.each([
    [
      "without a token",
      undefined,
      /is gated. Accept its terms at http.*Someone\/Some-Model, then set HF_TOKEN/,
    ],
    ["with one of somebody else", "hf_wrong", /account of HF_TOKEN has no access to Someone\/Some-Model/],
  ])("a gated repository %s says what to do", async (_what, token, sentence) => {
    store("lfs", { gatedFor: "hf_right" });
    expect(await refusal(download(hub({ token })))).toMatch(sentence);
  });

  test("a token that is not valid any more", async () => {
    faulty("api", 99, { kind: "reply", status: 401 });
    expect(await refusal(download(hub({ token: "hf_old" })))).toMatch(/does not accept HF_TOKEN/);
  });

  test("no sentence ever holds the token", async () => {
    for (const status of [400, 401, 403, 404, 407, 429, 500]) {
      faulty("api", 99, { kind: "reply", status, headers: { "Retry-After": "0" } });
      expect(await refusal(download(hub({ token: "hf_secret" })))).not.toContain("hf_secret");
    }
  });

  test.each(["javascript:alert(1)", "ftp://host/x", "http://user:password@127.0.0.1/", "https://"])(
    "a redirect to %s is not followed",
    async (location) => {
      faulty("api", 99, { kind: "reply", status: 302, headers: { Location: location } });
      expect(await refusal(download())).toMatch(/redirects to an address that is not safe to follow/);
    },
  );

  test("redirects in circles end", async () => {
    faulty("api", 99, { kind: "reply", status: 302, headers: { Location: "/api/models/a/b/revision/c" } });
    expect(await refusal(download())).toMatch(/redirects in circles/);
  });
});

describe("the environment", () => {
  test("names the Hub, a mirror and the token", () => {
    expect(hubFromEnvironment({})).toMatchObject({ endpoint: "https://huggingface.co", token: undefined });
    expect(hubFromEnvironment({ HF_ENDPOINT: "https://mirror.test/hf/", HF_TOKEN: " hf_x\n" })).toMatchObject(
      { endpoint: "https://mirror.test/hf", token: "hf_x" },
    );
  });

  test.each([
    [{ HF_ENDPOINT: "mirror" }, /HF_ENDPOINT is not the address of a Hub/],
    [{ HF_ENDPOINT: "file:///etc" }, /HF_ENDPOINT is not the address of a Hub/],
    [{ HF_TOKEN: "a\nb" }, /HF_TOKEN holds characters/],
    [
      { HF_ENDPOINT: "http://mirror.test", HF_TOKEN: "hf_x" },
      /would travel unencrypted to http:\/\/mirror.test/,
    ],
  ])("%j is refused", async (env, sentence) => {
    expect(() => hubFromEnvironment(env)).toThrow(sentence);
  });
});

describe("a download", () => {
  test.each<Storage>(["git", "lfs", "xet"])("of a %s file is complete and checked", async (storage) => {
    store(storage);
    const { target, bytes } = await download();
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(existsSync(`${target}.part`)).toBe(false);
    expect(bytes.reduce((sum, count) => sum + count, 0)).toBe(CONTENT.byteLength);
  });

  test("of an empty file works", async () => {
    const files = new Map([[NAME, { content: Buffer.alloc(0), storage: "git" as const }]]);
    server.repositories.set(ID, { commit: COMMIT, files });
    expect(statSync((await download()).target).size).toBe(0);
  });

  test("that is there already asks for nothing", async () => {
    const { target } = await download();
    const requests = of("resolve").length;
    const { bytes } = await download(hub(), { target });
    expect(of("resolve")).toHaveLength(requests);
    expect(bytes).toEqual([CONTENT.byteLength]);
  });

  test.each<[string, Fault]>([
    ["a cut connection", { kind: "cut", after: 90_000 }],
    ["a connection cut at once", { kind: "cut", after: 0 }],
    ["a stalled connection", { kind: "stall", after: 90_000 }],
    ["a busy server", { kind: "reply", status: 503 }],
    ["an expired signature", { kind: "reply", status: 403 }],
    ["too many requests", { kind: "reply", status: 429, headers: { "Retry-After": "0" } }],
  ])("survives %s, several times, and fetches no byte twice", async (_what, fault) => {
    faulty("cdn", 3, fault);
    const { target, bytes } = await download(hub({ silenceMs: 200 }));
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(bytes.reduce((sum, count) => sum + count, 0)).toBe(CONTENT.byteLength);
    // No negative count: nothing that came was thrown away.
    expect(Math.min(...bytes)).toBeGreaterThanOrEqual(0);
    expect(of("cdn")).toHaveLength(4);
  });

  test("continues what another process left", async () => {
    const target = join(temporaryFolder(), NAME);
    writeFileSync(`${target}.part`, CONTENT.subarray(0, 123_456));
    const { bytes } = await download(hub(), { target });
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(of("cdn").map(({ range }) => range)).toEqual(["bytes=123456-"]);
    expect(bytes[0]).toBe(123_456);
  });

  test("that was complete but not yet checked needs no request", async () => {
    const target = join(temporaryFolder(), NAME);
    writeFileSync(`${target}.part`, CONTENT);
    await download(hub(), { target });
    expect(of("cdn")).toEqual([]);
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
  });

  test.each([
    ["damaged", Buffer.alloc(1000, 1)],
    ["too long", Buffer.concat([CONTENT, CONTENT])],
  ])("starts again when what was left is %s", async (_what, left) => {
    const target = join(temporaryFolder(), NAME);
    writeFileSync(`${target}.part`, left);
    const { bytes } = await download(hub(), { target });
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(bytes.reduce((sum, count) => sum + count, 0)).toBe(CONTENT.byteLength);
  });

  test("starts again when the server knows no ranges", async () => {
    const target = join(temporaryFolder(), NAME);
    writeFileSync(`${target}.part`, CONTENT.subarray(0, 1000));
    faulty("cdn", 99, { kind: "whole" });
    await download(hub(), { target });
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(of("cdn")).toHaveLength(1);
  });

  test("one wrong byte is found out, the file fetched again", async () => {
    faulty("cdn", 1, { kind: "corrupt", at: 200_000 });
    const { target } = await download();
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    expect(of("cdn")).toHaveLength(2);
  });

  test.each<[string, Fault, "resolve" | "cdn", RegExp]>([
    [
      "always a wrong byte",
      { kind: "corrupt", at: 7 },
      "cdn",
      /came with a wrong hash, so it was thrown away/,
    ],
    ["a web page", html(), "cdn", /sent a web page instead of model.safetensors of Someone/],
    ["a short text", { kind: "reply", status: 200, body: "denied" }, "cdn", /was cut/],
    ["a long text", { kind: "reply", status: 200, body: "x".repeat(400_000) }, "cdn", /sent more than/],
    ["a server in trouble", { kind: "reply", status: 502 }, "cdn", /is in trouble \(status 502\)/],
    [
      "another hash",
      { kind: "headers", headers: { "X-Linked-Etag": `"${"0".repeat(64)}"` } },
      "resolve",
      /has another model.safetensors than the list/,
    ],
    [
      "another size",
      { kind: "headers", headers: { "X-Linked-Size": 5 } },
      "resolve",
      /has another model.safetensors/,
    ],
    [
      "a long wait",
      { kind: "reply", status: 429, headers: { "Retry-After": "600" } },
      "cdn",
      /too many requests from here.*asks to wait 10 minutes; the download continues/,
    ],
  ])(
    "%s ends in one clear sentence, and nothing is taken for the file",
    async (_what, fault, where, sentence) => {
      faulty(where, 99, fault);
      const target = join(temporaryFolder(), NAME);
      expect(await refusal(download(hub(), { target }))).toMatch(sentence);
      expect(existsSync(target)).toBe(false);
    },
  );

  test("a range that is not the one asked for is not appended", async () => {
    const target = join(temporaryFolder(), NAME);
    writeFileSync(`${target}.part`, CONTENT.subarray(0, 1000));
    faulty("cdn", 2, { kind: "headers", headers: { "Content-Range": `bytes 0-9/${CONTENT.byteLength}` } });
    await download(hub(), { target });
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
    // Refused twice, and what was there before was kept.
    expect(of("cdn").map(({ range }) => range)).toEqual(["bytes=1000-", "bytes=1000-", "bytes=1000-"]);
  });

  test("cancelling stops at once, keeps what came, and the next call continues", async () => {
    faulty("cdn", 1, { kind: "slow", piece: 10_000, ms: 5 });
    const target = join(temporaryFolder(), NAME);
    const controller = new AbortController();
    const reason = new ServiceError("cancelled", "Stopped.");
    const file: RemoteFile = {
      path: NAME,
      size: CONTENT.byteLength,
      hash: { kind: "sha256", value: SHA256 },
    };
    const address = `${server.endpoint}/${ID}/resolve/${COMMIT}/${NAME}`;
    const work = downloadFile(hub(), address, file, target, {
      signal: controller.signal,
      repository: ID,
      onBytes: (count) => {
        if (count > 0) controller.abort(reason);
      },
    });
    await expect(work).rejects.toBe(reason);
    const kept = statSync(`${target}.part`).size;
    expect(kept).toBeGreaterThan(0);
    await download(hub(), { target });
    expect(of("cdn").at(-1)?.range).toBe(`bytes=${kept}-`);
    expect(readFileSync(target).equals(CONTENT)).toBe(true);
  });

  test("cancelling while waiting for the next attempt is at once too", async () => {
    const controller = new AbortController();
    const reason = new ServiceError("cancelled", "Stopped.");
    faulty("cdn", 99, { kind: "reply", status: 503, headers: { "Retry-After": "100" } });
    const work = download(hub(), { signal: controller.signal });
    while (of("cdn").length === 0) await new Promise((done) => setImmediate(done));
    controller.abort(reason);
    await expect(work).rejects.toBe(reason);
  });

  test("into a folder that is not there", async () => {
    const target = join(temporaryFolder(), "nowhere", NAME);
    expect(await refusal(download(hub(), { target }))).toMatch(
      /cannot be written: the folder does not exist/,
    );
  });
});

describe("waiting", () => {
  test.each([
    ["Retry-After", { "Retry-After": "1" }],
    [
      "the Hub's own header",
      { RateLimit: '"resolvers";r=0;t=1', "RateLimit-Policy": '"fixed window";q=5;w=300' },
    ],
  ])("is as long as %s asks, and is told", async (_what, headers) => {
    faulty("cdn", 1, { kind: "reply", status: 429, headers });
    const waits: [string, number][] = [];
    await download(hub({ onWait: (reason, ms) => waits.push([reason, ms]) }));
    expect(waits).toEqual([[expect.stringMatching(/has had too many requests from here/), 1000]]);
  });

  test("Retry-After is seconds or a date", () => {
    expect(retryAfterMs("7")).toBe(7000);
    expect(retryAfterMs("Fri, 20 Nov 2026 10:00:05 GMT", Date.parse("2026-11-20T10:00:00Z"))).toBe(5000);
    expect(retryAfterMs("soon")).toBeUndefined();
    expect(retryAfterMs(undefined)).toBeUndefined();
  });
});

describe("a request", () => {
  test("asks for no compression: sizes and ranges are those of the file", async () => {
    const response = await get(hub(), `${server.endpoint}/${ID}/resolve/${COMMIT}/config.json`, signal);
    expect(response.header("content-length")).toBe("9");
    response.discard();
  });
});

function html(): Fault {
  return {
    kind: "reply",
    status: 200,
    headers: { "Content-Type": "text/html; charset=utf-8" },
    body: "<html>Please log in</html>",
  };
}
