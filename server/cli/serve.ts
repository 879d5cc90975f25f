/** `codescaler serve`: runs the reward server until a signal, or until its parent, or whoever shares it, is gone. */
import { randomBytes } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { type ReadyLine, VERSION } from "../../shared/contract.ts";
import { type Lease, leaseFolder } from "../../shared/sharing/lease.ts";
import { ownRuntimeFolder } from "../../shared/sharing/read-lease.ts";
import { Hung } from "../devices/guard.ts";
import { ServiceError } from "../errors.ts";
import { mediaFolder } from "../files/package-files.ts";
import { createApp } from "../http/app.ts";
import { openStore } from "../models/store.ts";
import { ModelHost } from "../ranking/loaded-models.ts";
import { startSyntaxThread } from "../ranking/syntax-thread.ts";
import { EngineFailure } from "../remote/failure.ts";
import type { IdleTimes } from "../sharing/idle.ts";
import { makePrivate } from "../sharing/lease-holder.ts";
import { Life } from "../sharing/occupancy.ts";
import { SharedLife } from "../sharing/shared-server.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions, findInstalled, findModel } from "./engine-options.ts";
import { readArgs, reasonOf, UsageError, wholeNumber } from "./usage.ts";
import { WRITER_ARGS, WRITER_USAGE, writerOptions } from "./writer-options.ts";

export const usage = `Usage: codescaler serve [options]

Runs the reward server. Its first line on stdout, once it can answer, is JSON {"url","pid","version","model"}.
The access token comes from CODESCALER_TOKEN; without it one is made and stands in that line as "token".
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

/** After this the process ends whatever still runs: a decode of a large model on a slow CPU can take longer. */
const SHUTDOWN_MS = 5000;

/** Times without use, in seconds, where nobody says otherwise. */
const SHARED_TIMES = { unload: "300", exit: "900" };
const OWNED_TIMES = { unload: "0", exit: "0" };
/** How often a server without a lease looks whether it is used. */
const TICK_MS = 1000;
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
  const port = wholeNumber("port", values.port, 0, 65_535);
  const replaces =
    values.replaces === undefined ? undefined : wholeNumber("replaces", values.replaces, 1, 2 ** 31);
  if (values.shared && values.host !== "127.0.0.1") {
    throw new UsageError("A shared server listens on 127.0.0.1 only: leave --host out.");
  }
  const options = engineOptions(values);
  const life = new Life(idleTimes(values, values.shared ? SHARED_TIMES : OWNED_TIMES));
  const stopped = stopRequest(values["exit-with-stdin"]);
  const output = pino.destination({ dest: 2, sync: true });
  // A disk that is full costs the log, not the server.
  output.on("error", () => {});
  const log = pino({ level: process.env["CODESCALER_LOG_LEVEL"] ?? "info", base: null }, output);

  // The token of a shared server stands in its lease, and nobody but it has chosen it.
  const given = values.shared ? undefined : process.env["CODESCALER_TOKEN"];
  const token = given || randomBytes(32).toString("base64url");
  const store = openStore(mediaFolder);
  const remote = options.remote !== undefined;
  const model = await findModel(values.model, remote);
  // Windows name the model they want: what was first wanted by one is no other's default.
  const fallback = values.shared && !remote ? await findModel(undefined) : model;
  let room = Promise.resolve();
  const host = new ModelHost(
    {
      find: async (name) => {
        await room;
        return [model, fallback].find(({ id }) => id === name) ?? findInstalled(store, name, remote);
      },
    },
    fallback.id,
    {
      ...options,
      remote: options.remote && {
        ...options.remote,
        onChange: (engine, state) => log.info({ engine, state }, "engine"),
      },
      onDevice: (device) => {
        if (device.reason === null) log.info({ device }, "model loaded");
        else log.warn({ device }, device.reason);
      },
    },
    (state) => life.tell(state),
  );
  const unload = async () => {
    if (host.state.state !== "ready") return;
    await host.unload();
    log.info("model unloaded");
  };
  const syntax = startSyntaxThread();
  let lease: Lease | undefined;
  const proven = values.shared ? () => lease : undefined;
  const app = createApp({
    host,
    store,
    programs: syntax.read,
    openai: writerOptions(values),
    token,
    hostNames: hostNames(values.host),
    log,
    life,
    proven,
  });
  const preload = () =>
    Promise.all([life.during("interactive", () => host.use(model.id, async () => {})), syntax.ready]);
  const close = async (why: string) => {
    // Connections that are open may bring another request: it is told to go elsewhere.
    void life.drain();
    log.info({ why }, "stopping");
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    // The engine's end makes running requests fail with a sentence, which is what closing waits for.
    await Promise.all([app.close(), host.close(), syntax.close()]);
    return 0;
  };

  try {
    if (values.shared) {
      const folder = leaseFolder(ownRuntimeFolder(), values.engine ?? []);
      await makePrivate(folder);
      // Challenges are answered from the first moment; requests wait for the model.
      const address = new URL(await listen(app, values.host, port));
      const device = options.device;
      lease = { version: VERSION, pid: process.pid, port: Number(address.port), token, device };
      const shared = new SharedLife({ folder, lease, replaces, life, log, unload });
      const claimed = await shared.claim();
      if (!claimed) return close("not needed");
      room = claimed.room;
      log.info({ url: address.origin, model: model.id }, "ready");
      const failed = preload().then(
        () => undefined,
        // Engines elsewhere may be away for a while: whoever asks next tries them again. A GPU that does not answer ends
        // this process, and the next one leaves it alone: for the windows that is a crash, not a refusal.
        (error: unknown) =>
          (error instanceof EngineFailure && error.passes) || error instanceof Hung ? undefined : error,
      );
      const ended = shared.end(stopped);
      const problem = await Promise.race([failed, ended.then(() => undefined)]);
      if (problem !== undefined) {
        await shared.giveUp(problem);
        throw problem;
      }
      return close(await ended);
    }

    // Loading first makes "ready" mean that a request will be answered, and a bad model fails here, in words.
    await preload();
    const url = await listen(app, values.host, port);
    const ready: ReadyLine = {
      url,
      pid: process.pid,
      version: VERSION,
      model: model.id,
      ...(host.device && { device: host.device }),
      ...(!given && { token }),
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    log.info({ url, model: model.id }, "ready");
    return close(await Promise.race([stopped, unused(life, unload)]));
  } catch (error) {
    // What was begun would keep a process that nobody finds, and that no signal ends any more.
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    process.stdin.destroy();
    Promise.all([app.close(), host.close(), syntax.close()]).catch(() => {});
    throw error;
  }
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

/** Resolves when a server without a lease was not used for long enough to end. */
async function unused(life: Life, unload: () => Promise<void>): Promise<string> {
  while (true) {
    await sleep(TICK_MS, undefined, { ref: false });
    const due = life.due();
    if (due === "exit") return "nobody is left";
    if (due === "unload") await unload();
  }
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

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") {
      throw new ServiceError(
        "invalid_request",
        `Port ${port} is in use. Choose another with --port, or 0 for any free one.`,
      );
    }
    throw new ServiceError(
      "invalid_request",
      `The server cannot listen on ${host}:${port} (${reasonOf(error)}).`,
      { cause: error },
    );
  }
}

/** Names under which the server may be addressed: loopback, and what it listens on. */
function hostNames(host: string): ReadonlySet<string> {
  const names = new Set(["127.0.0.1", "localhost", "[::1]", bracketed(host)]);
  if (host === "0.0.0.0" || host === "::") {
    // Listening everywhere means under every address and the name of this machine.
    names.add(hostname().toLowerCase());
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.add(bracketed(address));
    }
  }
  return names;
}

/** IPv6 addresses stand in brackets in a Host header. */
function bracketed(host: string): string {
  return host.includes(":") ? `[${host.toLowerCase()}]` : host.toLowerCase();
}
