/** `codescaler serve`: runs the reward server until a signal, or until its parent, or whoever shares it, is gone. */
import { pino } from "pino";
import type { IdleTimes } from "../../sharing/idle.ts";
import { readArgs, UsageError, wholeNumber } from "../arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "../engine-options.ts";
import { WRITER_ARGS, WRITER_USAGE, writerOptions } from "../writer-options.ts";
import type { ServeOptions } from "./create-server.ts";
import { runOwned } from "./owned.ts";
import { runShared } from "./shared.ts";

export const usage = `Usage: codescaler serve [options]

Runs the reward server. Its first line on stdout, once it can answer, is JSON {"url","pid","version","model"}.
The access token comes from CODESCALER_TOKEN; without it one is made and is in that line as "token".
Logs go to stderr as JSON lines; they never hold code (CODESCALER_LOG_LEVEL: debug, info, warn, error).

  --host H             address to listen on (default 127.0.0.1: this machine only)
  --port P             port (default 0: any free one)
  --exit-with-stdin    end when stdin ends: for a parent that owns the server
  --shared             be the one server of this user's editors: they find it by a file only this user can read.
                       Does nothing where one runs already
  --replaces PID       with --shared: take over from the server with this process number, which finishes its work
  --unload-after S     give the model's memory back after S seconds without a request; the next one loads it again
                       (default: CODESCALER_UNLOAD_AFTER, else 300 with --shared and otherwise 0 = never)
  --exit-after S       end after S seconds without a request and without an editor
                       (default: CODESCALER_EXIT_AFTER, else 900 with --shared and otherwise 0 = never)
${WRITER_USAGE}
${ENGINE_USAGE}`;

/** Times without use, in seconds, where nobody says otherwise. */
const SHARED_TIMES = { unload: "300", exit: "900" };
const OWNED_TIMES = { unload: "0", exit: "0" };
const MAX_SECONDS = 7 * 24 * 3600;

const SERVE_ARGS = {
  ...ENGINE_ARGS,
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  "exit-with-stdin": { type: "boolean", default: false },
  shared: { type: "boolean", default: false },
  replaces: { type: "string" },
  "unload-after": { type: "string" },
  "exit-after": { type: "string" },
  ...WRITER_ARGS,
} as const;

export async function run(args: string[]): Promise<number> {
  const { values } = readArgs(args, SERVE_ARGS);
  const replaces =
    values.replaces === undefined ? undefined : wholeNumber("replaces", values.replaces, 1, 2 ** 31);
  if (values.shared && values.host !== "127.0.0.1") {
    throw new UsageError("A shared server listens on 127.0.0.1 only: leave --host out.");
  }
  const options: ServeOptions = {
    host: values.host,
    port: wholeNumber("port", values.port, 0, 65_535),
    model: values.model,
    engine: engineOptions(values),
    writer: values.writer,
    openai: writerOptions(values),
    times: idleTimes(values, values.shared ? SHARED_TIMES : OWNED_TIMES),
    log: openLog(),
  };
  const stopped = stopRequest(values["exit-with-stdin"]);
  return values.shared
    ? runShared({ ...options, engines: values.engine ?? [], replaces }, stopped)
    : runOwned({ ...options, token: process.env["CODESCALER_TOKEN"] || undefined }, stopped);
}

function openLog(): ServeOptions["log"] {
  const output = pino.destination({ dest: 2, sync: true });
  // A disk that is full costs the log, not the server.
  output.on("error", () => {});
  return pino({ level: process.env["CODESCALER_LOG_LEVEL"] ?? "info", base: null }, output);
}

function idleTimes(
  values: { readonly "unload-after"?: string | undefined; readonly "exit-after"?: string | undefined },
  fallback: typeof SHARED_TIMES,
): IdleTimes {
  const unload = values["unload-after"] ?? process.env["CODESCALER_UNLOAD_AFTER"] ?? fallback.unload;
  const exit = values["exit-after"] ?? process.env["CODESCALER_EXIT_AFTER"] ?? fallback.exit;
  return {
    unloadMs: 1000 * wholeNumber("unload-after", unload, 0, MAX_SECONDS),
    exitMs: 1000 * wholeNumber("exit-after", exit, 0, MAX_SECONDS),
  };
}

/** Resolves with the reason once a signal or the end of stdin asks the server to stop. */
function stopRequest(withStdin: boolean): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => resolve(signal));
    if (!withStdin) return;
    process.stdin.once("end", () => resolve("stdin ended"));
    process.stdin.once("error", () => resolve("stdin failed"));
    process.stdin.resume();
  });
}
