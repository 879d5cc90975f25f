/** The rules that keep the parts apart; docs/architecture.md explains them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { ERRORS, VERSION } from "../../shared/contract.ts";

const root = resolve(__dirname, "../..");

interface Import {
  readonly from: string;
  readonly to: string;
}

/** All imports of our own TypeScript, as paths from the root; packages by their name. */
function imports(folder: string): Import[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.ts$/.test(file),
  );
  return files.flatMap((file) => {
    const from = join(folder, file);
    const text = readFileSync(join(root, from), "utf8");
    const targets = text.matchAll(/(?:from\s+|import\s*\(\s*|import\s+|require\(\s*)["']([^"']+)["']/g);
    return Array.from(targets, ([, target = ""]) => ({
      from: from.split(sep).join("/"),
      to: target.startsWith(".")
        ? relative(root, resolve(root, dirname(from), target))
            .split(sep)
            .join("/")
        : target,
    }));
  });
}

const server = imports("server");
const src = imports("src");
const shared = imports("shared");
const broken = (all: readonly Import[], forbidden: (one: Import) => boolean) =>
  all.filter(forbidden).map(({ from, to }) => `${from} imports ${to}`);

describe("imports", () => {
  test("are found at all", () => {
    expect(server.length).toBeGreaterThan(50);
    expect(server).toContainEqual({ from: "server/ranking/programs.ts", to: "server/errors.ts" });
  });
  test("the server never imports the extension or vscode", () => {
    expect(broken(server, ({ to }) => to.startsWith("src/") || to === "vscode")).toEqual([]);
  });
  test("the extension never imports the server: what both need is in shared", () => {
    expect(broken(src, ({ to }) => to.startsWith("server/"))).toEqual([]);
  });
  test("shared imports nothing of ours outside itself", () => {
    expect(
      broken(shared, ({ to }) => to.startsWith("src/") || to.startsWith("server/") || to === "vscode"),
    ).toEqual([]);
  });
  test("the native interface is set up in the one file that imports it", () => {
    expect(broken(server, ({ to }) => to === "koffi")).toEqual([
      "server/engine/llama/native.ts imports koffi",
    ]);
  });
  test("nothing makes a buffer of native memory: a desktop's runtime ends the process for it", () => {
    const views = readdirSync(join(root, "server"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .filter((file) =>
        /\bkoffi\s*(?:\.\s*view\b|\[)/.test(readFileSync(join(root, "server", file), "utf8")),
      );
    expect(views).toEqual([]);
  });
  test("the CUDA build is behind one file", () => {
    const inside = "server/devices/cuda/";
    const reaching = broken(
      server,
      ({ from, to }) => to.startsWith(inside) && !from.startsWith(inside) && to !== `${inside}cuda.ts`,
    );
    expect(reaching).toEqual([]);
  });
  test("only the HTTP folder and serve's know the web framework", () => {
    const allowed = /^server\/(http\/|cli\/serve\/)/;
    expect(broken(server, ({ from, to }) => to === "fastify" && !allowed.test(from))).toEqual([]);
  });
});

/** What one language takes up with its names alone, and the registry; with its tables it takes 2,000 and more. */
const IDENTITY_BYTES = 800;

describe("folders of the extension", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.split(sep).join("/"));
  test("hold everything but the composition root", () => {
    expect(files.filter((file) => !file.includes("/"))).toEqual(["extension.ts"]);
  });
  test("hold at most fifteen files, each of a name of its own", () => {
    const counts = new Map<string, number>();
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 15)).toEqual([]);
    const names = files.map((file) => file.slice(file.lastIndexOf("/") + 1));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe("activation", () => {
  test("compiles no parser: what parses is imported by the file that is loaded later, and by nothing else", () => {
    const later = [
      "src/syntax/syntax-engine.ts",
      "src/syntax/answer-question.ts",
      "src/panel/highlight.ts",
      "src/scoring/functions.ts",
    ];
    const parses = (to: string) =>
      later.includes(to) ||
      (to.startsWith("shared/syntax/") && to !== "shared/syntax/languages/languages.ts");
    const eager = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .map((file) => `src/${file.split(sep).join("/")}`)
      .filter((file) => file.endsWith(".ts") && !later.includes(file))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), "utf8");
        const values = text.matchAll(/^(?:import|export) (?!type )[^;]*? from "(\.[^"]+)";/gm);
        return Array.from(values, ([, to = ""]) =>
          relative(root, resolve(root, dirname(file), to))
            .split(sep)
            .join("/"),
        ).filter(parses);
      });
    expect(eager).toEqual([]);
  });
  test("names languages without loading what only a parser needs to know of them", async () => {
    const contents = `export { identityOf, LANGUAGES, languageOf } from "./shared/syntax/languages/languages.ts";`;
    const { metafile } = await build({
      stdin: { contents, resolveDir: root },
      ...{ bundle: true, write: false, metafile: true, format: "cjs", minify: true, absWorkingDir: root },
    });
    const sizes = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
    const large = sizes.filter(([, { bytesInOutput }]) => bytesInOutput > IDENTITY_BYTES);
    expect(sizes.map(([file]) => file)).toContain("shared/syntax/languages/python.ts");
    expect(large).toEqual([]);
  });
});

describe("what could drift", () => {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  test("the contract's version is the package's", () => {
    expect(VERSION).toBe(JSON.parse(read("package.json")).version);
  });
  test("every error code is documented with its status and meaning, and no other is", () => {
    const rows = [...read("docs/http.md").matchAll(/^\| `(\w+)` \| (\d+) \| (.+?) \|$/gm)].map(
      ([, code, status, meaning]) => [code, { status: Number(status), meaning }],
    );
    expect(Object.fromEntries(rows)).toEqual(ERRORS);
  });
  test("every package of the lock file takes the oldest Node that we name", () => {
    const [, oldest = ""] = /^>=(\d+)$/.exec(JSON.parse(read("package.json")).engines.node) ?? [];
    const takes = (range: string) =>
      range.split("||").some((part) => {
        const [, comparison = "", major = ""] = /^\s*(>=?|\^|~|)\s*(\d+)/.exec(part) ?? [];
        return comparison.startsWith(">") ? Number(major) <= Number(oldest) : major === oldest;
      });
    const packages: Record<string, { engines?: { node?: string } }> = JSON.parse(
      read("package-lock.json"),
    ).packages;
    const ranges = Object.entries(packages).map(
      ([path, { engines }]) => [path, engines?.node ?? "*"] as const,
    );
    expect(oldest).not.toBe("");
    expect(ranges.filter(([, range]) => range.trim() !== "*" && !takes(range))).toEqual([]);
  });
  test("every package of the lock file has a hash", () => {
    const { packages } = JSON.parse(read("package-lock.json"));
    const without = Object.entries<{ integrity?: string }>(packages).filter(
      ([path, { integrity }]) => path !== "" && !integrity?.startsWith("sha512-"),
    );
    expect(without.map(([path]) => path)).toEqual([]);
  });
  test("the notices have every package of which something is bundled, with its licence", () => {
    const maps = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".js.map"),
    );
    const sources = maps.flatMap((file): string[] => JSON.parse(read(`dist/${file}`)).sources);
    const bundled = new Set(
      sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? []),
    );
    expect(bundled).toContain("fastify");
    expect(bundled).toContain("axios");
    const notices = read("THIRD-PARTY-NOTICES.md");
    const missing = [...bundled].filter((name) => !notices.includes(`\n## ${name} `));
    expect(missing).toEqual([]);
    expect(notices).not.toContain("see its package");
  });
  describe("every file of ours that a page of documentation names exists", () => {
    const folders = ["server", "shared", "src", "test", "scripts", "training", "docs", "media", "demo"];
    const files = folders.flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => !name.includes("node_modules"))
        .map((name) => `/${folder}/${name.split(sep).join("/")}`),
    );
    const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
    test.each(["README.md", "CONTRIBUTING.md", ...pages.map((name) => `docs/${name}`)])("in %s", (page) => {
      const text = read(page);
      // NAME is any name.
      const quoted = Array.from(text.matchAll(/`([\w./-]+)`/g), ([, path = ""]) => path).filter(
        (path) => !path.includes("NAME"),
      );
      const paths = quoted.filter((path) => folders.includes(path.split("/")[0] ?? "") && path.includes("/"));
      const sources = quoted.filter((path) => /^[\w./-]+\.(?:ts|mjs|py|wat)$/.test(path));
      const links = Array.from(text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g), ([, path = ""]) =>
        join(dirname(page), path),
      );
      expect([...paths, ...links].filter((path) => !existsSync(join(root, path)))).toEqual([]);
      expect(sources.filter((source) => !files.some((file) => file.endsWith(`/${source}`)))).toEqual([]);
    });
  });
  test("the lock file carries no download addresses", () => {
    expect(read("package-lock.json")).not.toContain('"resolved"');
  });
});
