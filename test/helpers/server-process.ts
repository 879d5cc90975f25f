/** Runs the built command line as its users do: as its own process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { serverScript } from "../../server/files/package-files.ts";
import type { ReadyLine } from "../../shared/contract.ts";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `codescaler ARGS` to its end. */
export async function codescaler(
  args: readonly string[],
  options: {
    readonly input?: string | Uint8Array;
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
  } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [serverScript, ...args], {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [code]: [number | null] = await once(child, "close").then(([status]) => [status]);
  return { code, ...output };
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: unknown;
}

export interface RunningServer {
  readonly ready: ReadyLine;
  readonly child: ChildProcess;
  readonly stderr: () => string;
  /** A request with the right token, unless headers say otherwise. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  stop(): Promise<void>;
}

export const TOKEN = "test-token";

/** Starts `codescaler serve` and waits for its ready line. */
export async function serve(
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<RunningServer> {
  const child = spawn(process.execPath, [serverScript, "serve", "--device", "cpu", ...args], {
    env: { ...process.env, CODESCALER_TOKEN: TOKEN, CODESCALER_THREADS: "1", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, "line").then(([line]) => String(line)),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`serve ended with ${code}: ${errors}`))),
  ]);
  const ready: ReadyLine = JSON.parse(first);
  return {
    ready,
    child,
    stderr: () => errors,
    call: (method, path, body, headers) => call(ready.url, method, path, body, headers),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** One HTTP request; a string or buffer is sent as it is, anything else as JSON. */
export function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const payload =
    body === undefined
      ? undefined
      : typeof body === "string" || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, url),
      {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(payload !== undefined && {
            "content-type": "application/json",
            "content-length": String(Buffer.byteLength(payload)),
          }),
          ...headers,
        },
        agent: false,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          let json: unknown;
          try {
            json = JSON.parse(text);
          } catch {
            json = undefined;
          }
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    sent.on("error", reject);
    sent.end(payload);
  });
}
