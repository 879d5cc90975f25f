/** Installing the CUDA build from a local registry over real HTTP, with everything that can go wrong. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BUILD_VERSION } from "../../../../server/devices/build-version.ts";
import { addedBuild } from "../../../../server/devices/cuda/added.ts";
import { type InstallOptions, installCuda, removeCuda } from "../../../../server/devices/cuda/install.ts";
import { registryOf } from "../../../../server/devices/cuda/npm-registry.ts";
import type { BuildPackage, CudaBuild } from "../../../../server/devices/cuda/packages.ts";
import type { Site } from "../../../../server/downloads/site.ts";
import { takeLock } from "../../../../server/files/file-lock.ts";
import { temporaryFolder } from "../../../helpers/checkpoints.ts";
import { bundled, run } from "../../../helpers/child.ts";
import {
  type ArchiveEntry,
  archiveOf,
  integrityOf,
  type NpmRegistry,
  send,
  startRegistry,
} from "../../../helpers/hub/npm-registry.ts";

const NAME = "@node-llama-cpp/linux-x64-cuda";
const LIBRARY = randomBytes(300_000);
const FILES: readonly ArchiveEntry[] = [
  { path: "package/package.json", content: Buffer.from("{}") },
  { path: "package/bins/linux-x64-cuda/libggml-cuda.so", content: LIBRARY },
  { path: "package/bins/linux-x64-cuda/libllama-common.so", content: Buffer.from("not needed") },
  { path: "package/bins/linux-x64-cuda/libllama.cuda.v0.4.0.so", content: Buffer.from("llama") },
];

let registry: NpmRegistry;
let folder: string;
beforeEach(async () => {
  registry = await startRegistry();
  folder = join(temporaryFolder(), "builds");
});
afterEach(() => registry.close());

/** Publishes an archive; what the program expects is its hash, unless another is given. */
function publish(archive: Buffer, name = NAME, integrity = integrityOf(archive)): BuildPackage {
  registry.packages.set(name, { version: BUILD_VERSION, archive });
  return { name, version: BUILD_VERSION, integrity };
}

function buildOf(packages: readonly BuildPackage[], more: Partial<CudaBuild> = {}): CudaBuild {
  return {
    cudaMajor: 13,
    leastDriver: 580,
    packages,
    downloadBytes: 300_000,
    unpackedBytes: 1_000_000,
    ...more,
  };
}

function site(): Site {
  return { ...registryOf({ npm_config_registry: registry.endpoint }, ""), retryMs: 1, silenceMs: 2000 };
}

function install(build: CudaBuild, more: Partial<InstallOptions> = {}) {
  return installCuda({
    registry: site(),
    build,
    folder,
    platform: "linux-x64",
    signal: new AbortController().signal,
    ...more,
  });
}

const target = () => join(folder, `cuda-${BUILD_VERSION}`);
const isInstalled = () => addedBuild("linux", "x64", target()) !== undefined;
const nothingHalf = () => {
  expect(isInstalled()).toBe(false);
  expect(existsSync(target())).toBe(false);
  expect(
    existsSync(folder) ? readdirSync(folder).filter((name) => /partial|old|lock/.test(name)) : [],
  ).toEqual([]);
};

describe("installing the CUDA build", () => {
  test("puts the package's libraries into one folder, and nothing else of it", async () => {
    const steps = new Set<string>();
    const result = await install(buildOf([publish(archiveOf(FILES))]), {
      onProgress: ({ step, done, total }) => {
        steps.add(step);
        expect(done).toBeLessThanOrEqual(total);
      },
    });
    expect(result).toEqual({ folder: target(), fetched: true });
    expect(readdirSync(target()).sort()).toEqual([
      "build.json",
      "libggml-cuda.so",
      "libllama.cuda.v0.4.0.so",
    ]);
    expect(readFileSync(join(target(), "libggml-cuda.so")).equals(LIBRARY)).toBe(true);
    expect(addedBuild("linux", "x64", target())).toEqual({ folder: target(), cudaMajor: 13 });
    expect(addedBuild("win32", "x64", target())).toBeUndefined();
    expect([...steps]).toEqual(["download", "unpack"]);
    expect(readdirSync(folder)).toEqual([`cuda-${BUILD_VERSION}`]);
  });

  test("a second time nothing is fetched; another CUDA version replaces it", async () => {
    const first = publish(archiveOf(FILES));
    await install(buildOf([first]));
    const requests = registry.seen.length;
    expect((await install(buildOf([first]))).fetched).toBe(false);
    expect(registry.seen.length).toBe(requests);
    const older = Buffer.from("for CUDA 12");
    const second = publish(
      archiveOf([{ path: "package/bins/linux-x64-cuda/fallback/libggml-cuda.so", content: older }]),
      `${NAME}-ext`,
    );
    expect((await install(buildOf([first, second], { cudaMajor: 12 }))).fetched).toBe(true);
    expect(readFileSync(join(target(), "libggml-cuda.so")).equals(older)).toBe(true);
    expect(addedBuild("linux", "x64", target())?.cudaMajor).toBe(12);
  });

  test("removing frees everything, also an unfinished download", async () => {
    const wanted = publish(archiveOf(FILES));
    await install(buildOf([wanted]));
    expect(await removeCuda(folder)).toBeGreaterThan(LIBRARY.byteLength);
    nothingHalf();
    expect(readdirSync(folder)).toEqual([]);
    await expect(removeCuda(folder)).rejects.toThrow(/not installed/);
  });

  test("a cut connection is continued where it was", async () => {
    const archive = archiveOf(FILES);
    registry.fault = ({ range }, response, nth) => {
      if (nth !== 1 || range === "bytes=0-0") return false;
      response.writeHead(200, { "Content-Length": archive.byteLength });
      response.write(archive.subarray(0, 100_000), () => response.destroy());
      return true;
    };
    await install(buildOf([publish(archive)]));
    expect(isInstalled()).toBe(true);
    const ranges = registry.seen
      .map(({ range }) => range)
      .filter((range) => /^bytes=[1-9]/.test(range ?? ""));
    expect(ranges).toHaveLength(1);
  });

  test("a registry without ranges is downloaded from whole", async () => {
    const archive = archiveOf(FILES);
    registry.fault = ({ path }, response) => {
      if (!path.includes("/-/")) return false;
      send(response, archive, undefined);
      return true;
    };
    await install(buildOf([publish(archive)]));
    expect(isInstalled()).toBe(true);
  });
});

describe("what is refused, with nothing left half done", () => {
  test("content with another hash than this program knows, whatever the registry says", async () => {
    const wanted = publish(archiveOf(FILES));
    const other = archiveOf([
      { path: "package/bins/linux-x64-cuda/libggml-cuda.so", content: randomBytes(300_000) },
    ]);
    registry.packages.set(NAME, { version: BUILD_VERSION, archive: other, integrity: wanted.integrity });
    await expect(install(buildOf([wanted]))).rejects.toThrow(/wrong hash.*npm registry/);
    nothingHalf();
  });

  test("a registry that openly has another content, before anything is downloaded", async () => {
    const wanted = publish(archiveOf(FILES));
    publish(archiveOf(FILES.slice(1)));
    await expect(install(buildOf([wanted]))).rejects.toThrow(/has another @node-llama-cpp\/linux-x64-cuda/);
    expect(registry.seen.some(({ path }) => path.includes("/-/"))).toBe(false);
    nothingHalf();
  });

  test.each<[string, ArchiveEntry]>([
    ["a path that leads out", { path: "package/bins/../../../../evil.so", content: Buffer.from("x") }],
    ["an absolute path", { path: "/tmp/evil.so", content: Buffer.from("x") }],
    ["a path of Windows", { path: "package\\..\\evil.dll", content: Buffer.from("x") }],
    ["a symbolic link", { path: "package/bins/linux-x64-cuda/libggml.so", type: "2", link: "/etc/passwd" }],
    ["a hard link", { path: "package/bins/linux-x64-cuda/libggml.so", type: "1", link: "/etc/passwd" }],
    ["a device", { path: "package/bins/linux-x64-cuda/libggml.so", type: "3" }],
    ["an extended header", { path: "package/x", type: "x", content: Buffer.from("20 path=../../evil\n") }],
  ])("an archive with %s", async (_what, entry) => {
    await expect(install(buildOf([publish(archiveOf([...FILES, entry]))]))).rejects.toThrow(
      /neither file nor folder|could lead elsewhere/,
    );
    nothingHalf();
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join(dirname(folder), "evil.so"))).toBe(false);
  });

  test.each<[string, (archive: Buffer) => Buffer]>([
    ["is no archive", () => randomBytes(5000)],
    ["ends in the middle", (archive) => archive.subarray(0, 200_000)],
  ])("a file that %s", async (_what, spoil) => {
    await expect(install(buildOf([publish(spoil(archiveOf(FILES)))]))).rejects.toThrow(
      /nothing of it was installed/,
    );
    nothingHalf();
  });

  test("an archive that unpacks to more than it should", async () => {
    const build = buildOf([publish(archiveOf(FILES))], { unpackedBytes: 100_000 });
    await expect(install(build)).rejects.toThrow(/larger than it should be/);
    nothingHalf();
  });

  test("a web page in place of the document, and of the archive", async () => {
    const page = "<html>Please log in</html>";
    const wanted = publish(archiveOf(FILES));
    for (const where of ["document", "archive"]) {
      registry.fault = ({ path }, response) => {
        if (path.includes("/-/") !== (where === "archive")) return false;
        response.writeHead(200, { "Content-Type": "text/html", "Content-Length": page.length });
        response.end(page);
        return true;
      };
      await expect(install(buildOf([wanted]))).rejects.toThrow(/web page.*npm registry/);
      nothingHalf();
    }
  });

  test.each([
    [404, /has no @node-llama-cpp\/linux-x64-cuda/],
    [401, /refuses.*token in \.npmrc/],
  ])("status %i, in words", async (status, sentence) => {
    const wanted = publish(archiveOf(FILES));
    registry.fault = (_request, response) => {
      response.writeHead(status);
      response.end();
      return true;
    };
    await expect(install(buildOf([wanted]))).rejects.toThrow(sentence);
  });

  test("a disk without room, before anything is downloaded", async () => {
    const build = buildOf([publish(archiveOf(FILES))], { unpackedBytes: 1e15 });
    await expect(install(build)).rejects.toThrow(/its disk has .* free/);
    expect(registry.seen.some(({ path, range }) => path.includes("/-/") && range !== "bytes=0-0")).toBe(
      false,
    );
    nothingHalf();
  });

  test("a second installation at the same time", async () => {
    mkdirSync(folder, { recursive: true });
    const lock = await takeLock(join(folder, "cuda.lock"));
    await expect(install(buildOf([publish(archiveOf(FILES))]))).rejects.toThrow(/Another window or terminal/);
    await lock?.release();
    await install(buildOf([publish(archiveOf(FILES))]));
    expect(isInstalled()).toBe(true);
  });
});

describe("stopping", () => {
  test("by the user leaves the part, and the next call continues it", async () => {
    const archive = archiveOf(FILES);
    const wanted = publish(archive);
    const controller = new AbortController();
    registry.fault = ({ path, range }, response, nth) => {
      if (!path.includes("/-/") || range === "bytes=0-0" || nth !== 1) return false;
      response.writeHead(200, { "Content-Length": archive.byteLength });
      response.write(archive.subarray(0, 150_000));
      return true;
    };
    const stopped = install(buildOf([wanted]), {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done > 0) controller.abort(new Error("stopped"));
      },
    });
    await expect(stopped).rejects.toThrow("stopped");
    nothingHalf();
    await install(buildOf([wanted]));
    expect(isInstalled()).toBe(true);
    expect(registry.seen.some(({ range }) => /^bytes=[1-9]/.test(range ?? ""))).toBe(true);
  });

  test.each(["download", "unpack"])(
    "by a kill during the %s leaves nothing that counts; the next call finishes",
    async (step) => {
      const archive = archiveOf(FILES);
      const build = buildOf([publish(archive)]);
      if (step === "download") {
        registry.fault = ({ path, range }, response, nth) => {
          if (!path.includes("/-/") || range === "bytes=0-0" || nth !== 1) return false;
          response.writeHead(200, { "Content-Length": archive.byteLength });
          response.write(archive.subarray(0, 150_000));
          return true;
        };
      }
      const script = await bundled(`
      import { installCuda } from "./server/devices/cuda/install.ts";
      installCuda({
        registry: ${JSON.stringify({ endpoint: registry.endpoint, retryMs: 1, silenceMs: 20_000 })},
        build: ${JSON.stringify(build)},
        folder: ${JSON.stringify(folder)},
        platform: "linux-x64",
        signal: new AbortController().signal,
        onProgress: ({ step, done }) => {
          if (step === ${JSON.stringify(step)} && done > 0) process.kill(process.pid, "SIGKILL");
        },
      });
    `);
      const child = spawn(process.execPath, [script], { stdio: "inherit" });
      const [, signal] = await once(child, "close");
      expect(signal).toBe("SIGKILL");
      expect(isInstalled()).toBe(false);
      await install(build);
      expect(isInstalled()).toBe(true);
      expect(readdirSync(folder)).toEqual([`cuda-${BUILD_VERSION}`]);
    },
  );
});

/** The file system refuses as a full disk would: no file of the process may be larger than this. */
test.skipIf(process.platform === "win32").each([
  ["of the download", LIBRARY],
  // It packs well, and only its last bytes find no room: the system writes what it can and says so by a number.
  ["of the last library", Buffer.alloc(100 * 1024 + 500)],
])("a disk that is full in the middle %s, in words, and nothing half done", async (_when, content) => {
  const files = FILES.map((file) => (file.content === LIBRARY ? { ...file, content } : file));
  const build = buildOf([publish(gzipSync(gunzipSync(archiveOf(files))))]);
  const script = await bundled(`
    import { installCuda } from "./server/devices/cuda/install.ts";
    installCuda({
      registry: ${JSON.stringify({ endpoint: registry.endpoint, retryMs: 1, silenceMs: 20_000 })},
      build: ${JSON.stringify(build)},
      folder: ${JSON.stringify(folder)},
      platform: "linux-x64",
      signal: new AbortController().signal,
    }).catch((error) => { process.stderr.write(error.message); });
  `);
  const { stderr } = await run("bash", ["-c", `ulimit -f 100; exec "$0" "$1"`, process.execPath, script]);
  expect(stderr).toMatch(/cannot be written: the file would be larger than this disk or account allows/);
  nothingHalf();
  await install(build);
  expect(isInstalled()).toBe(true);
});

describe("the registry's address", () => {
  test("is npm's own: a variable, .npmrc, or the public one", () => {
    expect(registryOf({}, "").endpoint).toBe("https://registry.npmjs.org");
    expect(registryOf({ NPM_CONFIG_REGISTRY: "https://a.example/npm/" }, "").endpoint).toBe(
      "https://a.example/npm",
    );
    expect(registryOf({}, "registry=https://b.example/\n").endpoint).toBe("https://b.example");
    const scoped = "registry = https://b.example/\n@node-llama-cpp:registry = https://c.example/x\n";
    expect(registryOf({ npm_config_registry: "https://a.example" }, scoped).endpoint).toBe(
      "https://c.example/x",
    );
    expect(() => registryOf({ npm_config_registry: "file:///tmp" }, "")).toThrow(/npm_config_registry/);
  });

  test("comes with the token that .npmrc has for it, and for no other host", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: npm writes it so.
    const npmrc = "//b.example/npm/:_authToken=${SECRET}\nregistry=https://b.example/npm/\n";
    expect(registryOf({ SECRET: "t" }, npmrc).token).toBe("t");
    expect(
      registryOf({ SECRET: "t", npm_config_registry: "https://a.example" }, npmrc).token,
    ).toBeUndefined();
    expect(() => registryOf({ SECRET: "t" }, npmrc.replaceAll("https", "http"))).toThrow(/unencrypted/);
  });

  test("the token is sent to the registry; archives of the public one are asked from it too", async () => {
    const wanted = publish(archiveOf(FILES));
    const found = registry.packages.get(NAME);
    if (found === undefined) throw new Error("not published");
    registry.packages.set(NAME, {
      ...found,
      tarball: `https://registry.npmjs.org/${NAME}/-/linux-x64-cuda-${BUILD_VERSION}.tgz`,
    });
    const host = new URL(registry.endpoint).host;
    const withToken = registryOf(
      { npm_config_registry: registry.endpoint },
      `//${host}/:_authToken=secret\n`,
    );
    await install(buildOf([wanted]), { registry: { ...withToken, retryMs: 1 } });
    expect(new Set(registry.seen.map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer secret"]),
    );
    expect(isInstalled()).toBe(true);
  });

  test("an archive on another host is fetched without the token", async () => {
    const other = await startRegistry();
    try {
      const archive = archiveOf(FILES);
      other.packages.set(NAME, { version: BUILD_VERSION, archive });
      const wanted = publish(archive);
      registry.packages.set(NAME, {
        version: BUILD_VERSION,
        archive,
        tarball: `${other.endpoint}/${NAME}/-/archive.tgz`,
      });
      const host = new URL(registry.endpoint).host;
      const withToken = registryOf(
        { npm_config_registry: registry.endpoint },
        `//${host}/:_authToken=secret\n`,
      );
      await install(buildOf([wanted]), { registry: withToken });
      expect(other.seen.length).toBeGreaterThan(0);
      expect(other.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    } finally {
      await other.close();
    }
  });
});

test("a manifest of another version, or a damaged one, is no build", async () => {
  await install(buildOf([publish(archiveOf(FILES))]));
  const manifest = join(target(), "build.json");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace(BUILD_VERSION, "3.0.0"));
  expect(isInstalled()).toBe(false);
  writeFileSync(manifest, "{");
  expect(isInstalled()).toBe(false);
});
