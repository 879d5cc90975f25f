/** `codescaler serve`: runs the reward server until a signal, or until its parent is gone. */
import { randomBytes } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { type ReadyLine, VERSION } from "../contract.ts";
import { ServiceError } from "../errors.ts";
import { ModelHost } from "../host.ts";
import { createApp } from "../http/app.ts";
import { openStore } from "../models/store.ts";
import { grammarFolder, mediaFolder } from "../paths.ts";
import { wasmRuntime } from "../syntax/parser.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions, findModel } from "./engine-options.ts";
import { readArgs, reasonOf, wholeNumber } from "./usage.ts";

export const usage = `Usage: codescaler serve [options]

Runs the reward server. Its first line on stdout, once it can answer, is JSON {"url","pid","version","model"}.
The access token comes from CODESCALER_TOKEN; without it one is made and stands in that line as "token".
Logs go to stderr as JSON lines; they never hold code (CODESCALER_LOG_LEVEL: debug, info, warn, error).

  --host H             address to listen on (default 127.0.0.1: this machine only)
  --port P             port (default 0: any free one)
  --exit-with-stdin    end when stdin ends: for a parent that owns the server
${ENGINE_USAGE}`;

/** After this the process ends whatever still runs: a decode of a large model on a slow CPU can take longer. */
const SHUTDOWN_MS = 5000;

export async function run(args: string[]): Promise<number> {
  const { values } = readArgs(args, {
    ...ENGINE_ARGS,
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    "exit-with-stdin": { type: "boolean", default: false },
  });
  const port = wholeNumber("port", values.port, 0, 65_535);
  const options = engineOptions(values);
  const stopped = stopRequest(values["exit-with-stdin"]);
  const log = pino(
    { level: process.env["CODESCALER_LOG_LEVEL"] ?? "info", base: null },
    pino.destination({ dest: 2, sync: true }),
  );

  const given = process.env["CODESCALER_TOKEN"];
  const token = given || randomBytes(32).toString("base64url");
  const store = openStore(mediaFolder);
  const model = await findModel(values.model);
  const host = new ModelHost(
    { find: async (name) => (name === model.id ? model : store.find(name)) },
    model.id,
    {
      ...options,
      onDevice: (device) => {
        if (device.reason === null) log.info({ device }, "model loaded");
        else log.warn({ device }, device.reason);
      },
    },
  );
  const syntax = await wasmRuntime({ grammarDir: grammarFolder });
  const app = createApp({ host, store, syntax, token, hostNames: hostNames(values.host), log });

  // Loading first makes "ready" mean that a request will be answered, and a bad model fails here, in words.
  await host.use(undefined, async () => {});
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

  const why = await stopped;
  log.info({ why }, "stopping");
  setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
  // The engine's end makes running requests fail with a sentence, which is what closing waits for.
  await Promise.all([app.close(), host.close()]);
  return 0;
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
