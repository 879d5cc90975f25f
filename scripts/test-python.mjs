// Checks and tests the Python code under training/: formatter, linter, types, tests. Needs Python 3.10; without it says so
// and does nothing. `node scripts/test-python.mjs [pytest's arguments]` runs only these tests, the slow ones too.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run } from "./setup.mjs";

const windows = process.platform === "win32";
const requirements = join(root, "training", "requirements-test.txt");
const environment = join(root, ".cache", "python");
const python = join(environment, ...(windows ? ["Scripts", "python.exe"] : ["bin", "python"]));

/** Two releases of each trainer: their own loaders run our reward files, without their dependencies (gigabytes). */
const TRAINERS = ["openrlhf==0.11.1", "openrlhf==0.11.2", "verl==0.9.0", "verl==0.9.1"];
const trainers = TRAINERS.map((name) => join(root, ".cache", "trainers", name.replace("==", "-")));

/** The first Python on the path that is new enough, or none. */
function systemPython() {
  return ["python3", "python"].find((name) => {
    const check = "import sys, venv; print(sys.version_info >= (3, 10))";
    const { status, stdout } = spawnSync(name, ["-c", check], { encoding: "utf8" });
    return status === 0 && stdout.trim() === "True";
  });
}

/** Makes the environment when it is missing or the pinned versions have changed. */
function install(base) {
  const stamp = join(environment, ".codescaler-setup");
  const version = spawnSync(base, ["--version"], { encoding: "utf8" }).stdout;
  const wanted = createHash("sha256")
    .update(readFileSync(requirements))
    .update(readFileSync(join(root, "training", "requirements-synthesize.txt")))
    .update(version + TRAINERS.join())
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("Installing what the Python code is checked with (pip, into .cache/python, once) …");
  for (const folder of [environment, ...trainers]) rmSync(folder, { recursive: true, force: true });
  run(base, ["-m", "venv", environment]);
  const pip = ["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"];
  run(python, [...pip, "-r", requirements]);
  TRAINERS.forEach((name, place) => {
    run(python, [...pip, "--no-deps", "--target", trainers[place] ?? "", name]);
  });
  writeFileSync(stamp, wanted);
}

/** Runs everything, or only what pytest finds by `only`. Ends the process with the status of what failed. */
export function testPython(only = []) {
  const base = systemPython();
  if (base === undefined) {
    console.error("The Python code under training/ is not tested: install Python 3.10 or newer with venv.");
    if (process.env.CI === "true") process.exit(1);
    return;
  }
  install(base);
  const options = {
    env: {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONPATH: [root, join(root, "training", "rewards")].join(delimiter),
      CODESCALER_TRAINERS: trainers.join(delimiter),
    },
  };
  const checked = ["training"];
  const config = join("training", "pyproject.toml");
  if (only.length > 0) return run(python, ["-m", "pytest", "-c", config, ...only], options);
  run(python, ["-m", "ruff", "format", "--check", "--quiet", ...checked], options);
  run(python, ["-m", "ruff", "check", "--quiet", ...checked], options);
  run(python, ["-m", "mypy", "--config-file", config, ...checked], options);
  run(python, ["-m", "pytest", "-c", config, "-q", "-m", "not slow", "training"], options);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) testPython(process.argv.slice(2));
