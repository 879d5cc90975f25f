/** Runs a command of our own command line for a result: models are listed and pulled by the same code as there. */
import { spawn } from "node:child_process";
import { onLines, scriptEnvironment } from "../base/node-process.ts";

/** A command stops softly when its stdin ends; one that does not is ended. */
const SOFT_KILL_MS = 10_000;

export interface CommandLine {
  readonly execPath: string;
  readonly script: string;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with every line of progress: a JSON object on stderr. */
  readonly onProgress?: (progress: Readonly<Record<string, unknown>>) => void;
}

/**
 * Runs a command and gives the JSON document that it prints.
 * @throws Error with the command's own sentence; the signal's reason when aborted
 */
export async function runForJson(
  commandLine: CommandLine,
  args: readonly string[],
  options: RunOptions,
): Promise<unknown> {
  return JSON.parse(await runForText(commandLine, args, options));
}

/** The same for text. */
export function runForText(
  { execPath, script }: CommandLine,
  args: readonly string[],
  { signal, env, onProgress }: RunOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(execPath, [script, ...args], {
      env: scriptEnvironment(process.env, env),
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    let output = "";
    let sentence = "";
    let timer: NodeJS.Timeout | undefined;
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    child.stderr.setEncoding("utf8");
    onLines(child.stderr, (line) => {
      const progress = objectIn(line);
      if (progress) onProgress?.(progress);
      else sentence = line;
    });
    const stop = () => {
      child.stdin.end();
      timer = setTimeout(() => child.kill("SIGKILL"), SOFT_KILL_MS);
    };
    signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else if (code !== 0) reject(new Error(sentence || `The command ended with code ${code}.`));
      else resolve(output);
    });
  });
}

function objectIn(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
