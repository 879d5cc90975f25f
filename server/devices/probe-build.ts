/**
 * Finds out whether a build works on a GPU here, in a child process: a broken driver may crash or hang the process that
 * touches it. The result is kept until driver, build or system change.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { release } from "node:os";
import { z } from "zod";
import { VERSION } from "../../shared/contract.ts";
import type { Build } from "../engine/llama/builds.ts";
import { serverScript } from "../files/package-files.ts";
import { BUILD_VERSION } from "./build-version.ts";
import type { Drivers } from "./drivers.ts";
import { type ProbeRecord, type ProbeResult, probeResult, recall, remember } from "./probe-cache.ts";

/**
 * A GPU may compile its shaders at the first start, which takes a few seconds; software Vulkan took 40 s on a busy core.
 * What is not done by then hangs. Two builds that hang still leave the editor, which waits for three minutes, a server.
 */
const PROBE_TIMEOUT_MS = 60_000;
/** What a driver may print; beyond it the test is ended. */
const PROBE_OUTPUT_BYTES = 4 * 2 ** 20;
/** By which a person, a terminal or a service manager ends a whole group of processes: no driver sends them. */
const STOP_SIGNALS: ReadonlySet<string> = new Set(["SIGINT", "SIGTERM", "SIGHUP"]);
/** The same on Windows: STATUS_CONTROL_C_EXIT. */
const STOP_CODE = 0xc000013a;
/** Listing devices without computing. */
const LIST_TIMEOUT_MS = 20_000;

/** Which build, driver, system and program a result belongs to. */
export function probeKey(build: Build, drivers: Drivers): string {
  const told = [build.backend, build.folder, BUILD_VERSION, VERSION, release(), drivers.fingerprint];
  return `${build.backend}-${createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, 24)}`;
}

/** @param fresh look anew even if the answer is known */
export async function probe(build: Build, drivers: Drivers, fresh = false): Promise<ProbeRecord> {
  const key = probeKey(build, drivers);
  const known = fresh ? undefined : await recall(key);
  if (known !== undefined) return known;
  const at = Date.now();
  const result = await runProbe(probeArguments(build, drivers), PROBE_TIMEOUT_MS);
  const record: ProbeRecord = { result, at, seconds: (Date.now() - at) / 1000 };
  await remember(key, record);
  return record;
}

/** The devices with the memory that is free now, without the golden model. */
export async function listDevices(build: Build, drivers: Drivers): Promise<ProbeResult> {
  return runProbe(["--list", ...probeArguments(build, drivers)], LIST_TIMEOUT_MS);
}

/** Libraries of the CUDA runtime that must be loaded before a build. */
export function neededLibraries(build: Build, drivers: Drivers): readonly string[] {
  return drivers.cudaRuntimes.find(({ major }) => major === build.cudaMajor)?.libraries ?? [];
}

function probeArguments(build: Build, drivers: Drivers): string[] {
  return [build.folder, ...neededLibraries(build, drivers)];
}

/** Runs `codescaler probe`; exported for tests, which bring a script of their own. */
export function runProbe(
  args: readonly string[],
  timeoutMs: number,
  script: string = serverScript,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, "probe", ...args],
      {
        timeout: timeoutMs,
        maxBuffer: PROBE_OUTPUT_BYTES,
        // A driver that hangs may not heed a polite request.
        killSignal: "SIGKILL",
        env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
        windowsHide: true,
      },
      (error, stdout, stderr) => resolve(error ? failure(error, stderr, timeoutMs) : resultIn(stdout)),
    );
  });
}

/** The last line that is a result: a driver may print what it likes before it. */
function resultIn(stdout: string): ProbeResult {
  for (const line of stdout.trimEnd().split("\n").reverse()) {
    const json = line.startsWith("{") ? parsed(line) : undefined;
    const result = probeResult.safeParse(json).data;
    if (result !== undefined) return result;
  }
  return { kind: "failed", problem: "its test gave no answer" };
}

const ended = z.object({
  killed: z.boolean().optional(),
  signal: z.string().nullish(),
  code: z.union([z.number(), z.string()]).nullish(),
});

function failure(error: Error, stderr: string, timeoutMs: number): ProbeResult {
  const { killed, signal, code } = ended.parse(error);
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
    return { kind: "failed", problem: "its driver prints without end" };
  if (killed)
    return { kind: "hung", problem: `its driver did not answer within ${Math.round(timeoutMs / 1000)} s` };
  if (STOP_SIGNALS.has(signal ?? "") || code === STOP_CODE)
    return { kind: "stopped", problem: `its test was stopped${signal ? ` with ${signal}` : ""}` };
  // Windows reports a crash as a code above the range of ordinary ones.
  const crashed =
    signal ?? (typeof code === "number" && code > 255 ? `code 0x${code.toString(16)}` : undefined);
  if (crashed !== undefined)
    return { kind: "crashed", problem: `its driver ended a test process with ${crashed}` };
  const sentence = stderr.trim().split("\n").at(-1) ?? "";
  return { kind: "failed", problem: sentence === "" ? "its test failed without a word" : asPart(sentence) };
}

/** A sentence in brackets inside of another. */
function asPart(sentence: string): string {
  return sentence.slice(0, 400).replace(/\.$/, "");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
