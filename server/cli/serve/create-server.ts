/** What every reward server is made of, whoever owns it: models, parser, HTTP service, and their beginning and end. */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { DeviceReport } from "../../../shared/contract.ts";
import type { Lease } from "../../../shared/sharing/lease.ts";
import { mediaFolder } from "../../files/package-files.ts";
import { createApp } from "../../http/app.ts";
import { findInstalled, findModel } from "../../models/find-model.ts";
import { ModelHost } from "../../models/model-host.ts";
import { openStore } from "../../models/store.ts";
import { type HostOptions, readJudge } from "../../ranking/load-judge.ts";
import { startSyntaxThread } from "../../ranking/syntax-thread.ts";
import { EngineStates } from "../../remote/engine-states.ts";
import type { IdleTimes } from "../../sharing/idle.ts";
import { Occupancy } from "../../sharing/occupancy.ts";
import { builtInSource } from "../../writing/built-in-source.ts";
import { writerHost } from "../../writing/writer-host.ts";
import type { WriterOptions } from "../writer-options.ts";
import { hostNames, listen } from "./addresses.ts";

/** What both kinds of server need. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** The model to begin with; undefined for the default. */
  readonly model: string | undefined;
  readonly engine: HostOptions;
  /** The model that writes where a request names none: a name or a file; undefined for the default. */
  readonly writer: string | undefined;
  /** What the OpenAI endpoints need. */
  readonly openai: WriterOptions;
  readonly times: IdleTimes;
  readonly log: Logger;
}

/** What only one kind of server has. */
export interface OwnerOptions {
  /** The access token; made where it is undefined. */
  readonly token?: string | undefined;
  /** Requests that name no model get the default model, whichever this server began with. */
  readonly defaultModel: boolean;
  /** The lease by which this server proves itself; undefined while it has none. */
  readonly proven?: () => Lease | undefined;
  /** Resolves when there is memory for a model. */
  readonly room?: () => Promise<void>;
}

export interface RewardServer {
  readonly token: string;
  /** Name of the model it begins with. */
  readonly model: string;
  readonly occupancy: Occupancy;
  /** Where the loaded model runs. */
  readonly device: DeviceReport | undefined;
  /** @returns its address */
  listen(): Promise<string>;
  /** Loads model and parser. */
  preload(): Promise<void>;
  /** Gives the model's memory back, where one is loaded. */
  unload(): Promise<void>;
  /** Ends everything; what still runs after some seconds ends with the process. */
  close(why: string): Promise<void>;
  /** The same after a failure, without waiting. */
  abandon(): void;
}

/** After this the process ends whatever still runs: a decode of a large model on a slow CPU can take longer. */
const SHUTDOWN_MS = 5000;

/** @throws ServiceError when the model is not installed */
export async function createRewardServer(options: ServeOptions, owner: OwnerOptions): Promise<RewardServer> {
  const { log } = options;
  const token = owner.token ?? randomBytes(32).toString("base64url");
  const occupancy = new Occupancy(options.times);
  const store = openStore(mediaFolder);
  const remote = options.engine.remote !== undefined;
  const model = await findModel(options.model, remote);
  const fallback = owner.defaultModel && !remote ? await findModel(undefined) : model;
  const engines = new EngineStates();
  const host = new ModelHost(
    {
      find: async (name) => {
        await owner.room?.();
        return [model, fallback].find(({ id }) => id === name) ?? findInstalled(store, name, remote);
      },
    },
    fallback.id,
    readJudge(logged(options.engine, engines, log)),
    (state) => occupancy.tell(state),
  );
  const writers = writerHost(options.engine, options.writer, owner.room);
  const syntax = startSyntaxThread();
  const app = createApp({
    host,
    writers,
    store,
    programs: syntax.read,
    stops: syntax.stops,
    openai: { ...options.openai, source: options.openai.source ?? builtInSource(writers) },
    engines: () => engines.all,
    token,
    hostNames: hostNames(options.host),
    log,
    occupancy,
    proven: owner.proven,
  });
  // The engine's end makes running requests fail with a sentence, which is what closing waits for.
  const closeAll = () => Promise.all([app.close(), host.close(), writers.close(), syntax.close()]);
  return {
    token,
    model: model.id,
    occupancy,
    get device() {
      return host.device;
    },
    listen: () => listen(app, options.host, options.port),
    async preload() {
      await Promise.all([
        occupancy.during("interactive", () => host.use(model.id, async () => {})),
        syntax.ready,
      ]);
    },
    async unload() {
      for (const models of [host, writers]) {
        if (models.state.state !== "ready") continue;
        await models.unload();
        log.info("model unloaded");
      }
    },
    async close(why) {
      // Connections that are open may bring another request, which is sent elsewhere.
      void occupancy.drain();
      log.info({ why }, "stopping");
      setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
      await closeAll();
    },
    abandon() {
      // What was begun would keep a process that nobody finds, and that no signal ends any more.
      setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
      process.stdin.destroy();
      closeAll().catch(() => {});
    },
  };
}

/** The same engine; what becomes of its devices and remote engines is logged. */
function logged(engine: HostOptions, engines: EngineStates, log: Logger): HostOptions {
  return {
    ...engine,
    onCheck: (done, total) => {
      if (done === total) log.info({ bytes: total }, "the model's weights were checked");
    },
    remote: engine.remote && {
      ...engine.remote,
      onChange: (state) => {
        engines.set(state);
        if (state.state === "aside") log.warn(state, "engine");
        else log.info(state, "engine");
      },
    },
    onDevice: (device) => {
      if (device.reason === null) log.info({ device }, "model loaded");
      else log.warn({ device }, device.reason);
    },
  };
}
