/** The command line as processes of the chaos: a server of the user's own, and downloads. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ReadyLine } from "../../../shared/contract.ts";

/** A server that its user runs, and starts again whenever it ends. */
export class OwnServer {
  readonly #script: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #closing = false;
  /** Where it listens now; 0 while it does not. */
  port = 0;
  onPort = (_port: number) => {};

  constructor(script: string, env: NodeJS.ProcessEnv, token: string) {
    this.#script = script;
    this.#env = { ...env, CODESCALER_TOKEN: token, CODESCALER_EXIT_AFTER: "0" };
    this.#start();
  }

  #start(): void {
    const child = spawn(process.execPath, [this.#script, "serve", "--device", "cpu", "--model", "nano"], {
      env: this.#env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).once("line", (line) => {
      const { url }: ReadyLine = JSON.parse(line);
      this.#listens(Number(new URL(url).port));
    });
    child.once("close", () => {
      this.#listens(0);
      if (!this.#closing) this.#start();
    });
  }

  #listens(port: number): void {
    this.port = port;
    this.onPort(port);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "close");
  }
}

/** Runs a command to its end. */
export async function runProgram(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const [code]: (number | null)[] = await once(child, "close");
  return { code: code ?? null, ...output };
}
