// The packages whose functions are cut for the corpus of cursor positions, and how each registry's own client gets
// them. Versions are exact: the same ones give the same corpus.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** By language: name, version, licence (SPDX). All of them are permissive. */
export const PACKAGES = {
  python: [
    ["attrs", "26.1.0", "MIT"],
    ["click", "8.5.1", "BSD-3-Clause"],
    ["httpx", "0.28.1", "BSD-3-Clause"],
    ["jinja2", "3.1.6", "BSD-3-Clause"],
    ["more-itertools", "11.2.1", "MIT"],
    ["networkx", "3.6.1", "BSD-3-Clause"],
    ["tenacity", "9.2.1", "Apache-2.0"],
    ["werkzeug", "3.1.9", "BSD-3-Clause"],
  ],
  typescript: [
    ["rxjs", "7.8.2", "Apache-2.0"],
    ["immer", "11.2.10", "MIT"],
    ["@tanstack/query-core", "5.108.4", "MIT"],
    ["redux", "5.0.1", "MIT"],
    ["@reduxjs/toolkit", "2.15.0", "MIT"],
    ["zod", "4.6.7", "MIT"],
    ["effect", "4.1.0", "MIT"],
  ],
  go: [
    ["github.com/spf13/cobra", "v1.10.2", "Apache-2.0"],
    ["github.com/gorilla/mux", "v1.8.1", "BSD-3-Clause"],
    ["github.com/go-chi/chi/v5", "v5.5.0", "MIT"],
    ["github.com/gin-gonic/gin", "v1.12.0", "MIT"],
    ["go.uber.org/zap", "v1.28.0", "MIT"],
    ["github.com/stretchr/testify", "v1.12.1", "MIT"],
  ],
  rust: [
    ["itertools", "0.15.0", "MIT OR Apache-2.0"],
    ["indexmap", "2.14.2", "Apache-2.0 OR MIT"],
    ["ignore", "0.4.35", "Unlicense OR MIT"],
    ["globset", "0.4.22", "Unlicense OR MIT"],
    ["clap_builder", "4.6.7", "MIT OR Apache-2.0"],
    ["serde_json", "1.0.154", "MIT OR Apache-2.0"],
    ["bytes", "1.12.2", "MIT"],
    ["bstr", "1.14.0", "MIT OR Apache-2.0"],
  ],
  java: [
    ["org.apache.commons:commons-lang3", "3.20.0", "Apache-2.0"],
    ["org.apache.commons:commons-collections4", "4.5.0", "Apache-2.0"],
    ["com.google.code.gson:gson", "2.13.2", "Apache-2.0"],
    ["com.google.guava:guava", "33.5.0-jre", "Apache-2.0"],
    ["info.picocli:picocli", "4.7.7", "Apache-2.0"],
    ["com.fasterxml.jackson.core:jackson-core", "2.20.1", "Apache-2.0"],
    ["org.jsoup:jsoup", "1.21.2", "MIT"],
  ],
};

export const EXTENSIONS = { python: ".py", typescript: ".ts", go: ".go", rust: ".rs", java: ".java" };

/**
 * Fetches and unpacks all packages of a language into a folder.
 * @returns one entry a package: its folder, and the SHA-256 of the archive
 */
export function fetchPackages(language, folder) {
  mkdirSync(folder, { recursive: true });
  return PACKAGES[language].map(([name, version, licence]) => {
    const { archive, root } = FETCH[language](name, version, folder);
    const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
    return { name, version, licence, sha256, root };
  });
}

const FETCH = { python: pypi, typescript: npm, go: goModule, rust: crate, java: maven };

function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options });
}

/** An empty folder for one package. */
function place(folder, name, version) {
  const at = join(folder, `${name}-${version}`.replace(/[^\w.-]+/g, "_"));
  mkdirSync(at, { recursive: true });
  return at;
}

/** The one file of a folder that ends in `ending`. */
function only(folder, ending) {
  const found = readdirSync(folder).find((name) => name.endsWith(ending));
  if (found === undefined) throw new Error(`${folder} has no ${ending}.`);
  return join(folder, found);
}

function pypi(name, version, folder) {
  const at = place(folder, name, version);
  run("pip", ["download", "-q", "--no-deps", "--only-binary=:all:", "-d", at, `${name}==${version}`]);
  const archive = only(at, ".whl");
  run("unzip", ["-qo", archive, "-d", join(at, "files")]);
  return { archive, root: join(at, "files") };
}

function npm(name, version, folder) {
  const at = place(folder, name, version);
  run("npm", ["pack", "--silent", `${name}@${version}`], { cwd: at });
  const archive = only(at, ".tgz");
  run("tar", ["xzf", archive, "-C", at]);
  return { archive, root: join(at, "package") };
}

function goModule(name, version, folder) {
  const env = { ...process.env, GOMODCACHE: join(folder, "modules"), GOFLAGS: "-modcacherw" };
  const { Dir, Zip } = JSON.parse(
    run("go", ["mod", "download", "-json", `${name}@${version}`], { cwd: folder, env }),
  );
  return { archive: Zip, root: Dir };
}

function crate(name, version, folder) {
  const at = place(folder, name, version);
  const home = join(folder, "cargo");
  mkdirSync(join(at, "src"), { recursive: true });
  writeFileSync(join(at, "src", "main.rs"), "fn main() {}\n");
  writeFileSync(
    join(at, "Cargo.toml"),
    `[package]\nname = "fetch"\nversion = "0.0.0"\n[dependencies]\n${name} = "=${version}"\n`,
  );
  run("cargo", ["fetch", "--quiet"], { cwd: at, env: { ...process.env, CARGO_HOME: home } });
  const [registry] = readdirSync(join(home, "registry", "src"));
  return {
    archive: join(home, "registry", "cache", registry, `${name}-${version}.crate`),
    root: join(home, "registry", "src", registry, `${name}-${version}`),
  };
}

function maven(name, version, folder) {
  const at = place(folder, name, version);
  const repository = join(folder, "repository");
  run("mvn", [
    "-q",
    "-B",
    "dependency:get",
    "-Dtransitive=false",
    `-Dartifact=${name}:${version}:jar:sources`,
    `-Dmaven.repo.local=${repository}`,
  ]);
  const [group, artifact] = name.split(":");
  const archive = join(
    repository,
    ...group.split("."),
    artifact,
    version,
    `${artifact}-${version}-sources.jar`,
  );
  run("unzip", ["-qo", archive, "-d", at]);
  return { archive, root: at };
}
