// Platform packages: `node scripts/package.mjs [TARGET…]` writes codescaler-TARGET-VERSION.vsix into the project's root.
// Each holds the bundles, the media and the native packages of its target; those of other platforms come from npm.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createVSIX } from "@vscode/vsce";
import { npm, root, run, setup } from "./setup.mjs";

/** Native packages by VS Code's name of the platform. The first engine build that works is used, best first. */
const NATIVES = {
  "linux-x64": ["koffi-linux-x64", "linux-x64-vulkan", "linux-x64"],
  "linux-arm64": ["koffi-linux-arm64", "linux-arm64"],
  "darwin-arm64": ["koffi-darwin-arm64", "mac-arm64-metal"],
  "darwin-x64": ["koffi-darwin-x64", "mac-x64"],
  "win32-x64": ["koffi-win32-x64", "win-x64-vulkan", "win-x64"],
  "win32-arm64": ["koffi-win32-arm64", "win-arm64"],
};
export const TARGETS = Object.keys(NATIVES);

/** What a user downloads, and what the registry of extensions is kind to. */
const MAX_BYTES = 64 * 1024 * 1024;

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
const cache = join(root, ".cache", "packages");

/** The packages of a target, by their full names. */
function nativesOf(target) {
  const [koffi, ...builds] = NATIVES[target];
  return ["koffi", `@koromix/${koffi}`, ...builds.map((build) => `@node-llama-cpp/${build}`)];
}

/** Path of an unpacked package: as installed, or fetched by the version and hash in the lock file. */
function unpacked(name) {
  const installed = join(root, "node_modules", name);
  if (existsSync(join(installed, "package.json"))) return installed;
  const { version, integrity } = lock[`node_modules/${name}`];
  const folder = join(cache, `${name.replaceAll("/", "+")}-${version}`);
  if (existsSync(folder)) return join(folder, "package");
  mkdirSync(cache, { recursive: true });
  console.error(`Fetching ${name} ${version} …`);
  const archive = join(cache, `${name.replace("@", "").replaceAll("/", "-")}-${version}.tgz`);
  npm(["pack", "--silent", `--pack-destination=${cache}`, `${name}@${version}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [algorithm, wanted] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm).update(readFileSync(archive)).digest("base64");
  if (found !== wanted)
    throw new Error(`${name} ${version} is not what package-lock.json names: delete ${archive}.`);
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  execFileSync("tar", ["-xzf", archive, "-C", part], { stdio: "inherit" });
  cpSync(part, folder, { recursive: true });
  rmSync(part, { recursive: true });
  rmSync(archive);
  return join(folder, "package");
}

/**
 * Makes the package of one target from dist/ as it is.
 * @returns its path
 */
export async function packageFor(target) {
  if (!Object.hasOwn(NATIVES, target)) {
    throw new Error(`There is no target ${target}: choose of ${TARGETS.join(", ")}.`);
  }
  const stage = join(root, ".cache", `stage-${target}`);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const name of readdirSync(root)) {
    const staged =
      /^(dist|media|l10n|README\.md|CHANGELOG\.md|LICENSE|THIRD-PARTY-NOTICES\.md|\.vscodeignore|package\.nls.*)$/;
    if (staged.test(name)) cpSync(join(root, name), join(stage, name), { recursive: true });
  }
  const natives = nativesOf(target);
  for (const name of natives) {
    cpSync(unpacked(name), join(stage, "node_modules", name), { recursive: true });
  }
  const versions = natives.map((name) => [name, lock[`node_modules/${name}`].version]);
  const { scripts, devDependencies, optionalDependencies, overrides, ...shipped } = manifest;
  const own = { ...shipped, dependencies: Object.fromEntries(versions) };
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  const packagePath = join(root, `${manifest.name}-${target}-${manifest.version}.vsix`);
  await createVSIX({ cwd: stage, packagePath, target });
  rmSync(stage, { recursive: true });
  const bytes = statSync(packagePath).size;
  console.log(`${packagePath}: ${(bytes / 1024 / 1024).toFixed(1)} MB`);
  if (bytes > MAX_BYTES) throw new Error(`${target} is larger than ${MAX_BYTES / 1024 / 1024} MB.`);
  return packagePath;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setup();
  run(process.execPath, [join(root, "scripts", "build.mjs")]);
  const wanted = process.argv.slice(2);
  for (const target of wanted.length > 0 ? wanted : TARGETS) await packageFor(target);
}
