/**
 * Finds model servers that run on this machine: asks the usual ports at once, recognises which server
 * answers, lists its models. Only loopback addresses, only when the user asks for it, no keys.
 */
import * as z from "zod";
import type { HttpReply, TimeLimits } from "../../../shared/http/send.ts";
import { wholeText } from "../http/framing.ts";
import type { HttpClient } from "../http/http-client.ts";
import { canInfill } from "../kinds/infill.ts";
import type { SourceConfig } from "./create.ts";

export const SERVERS = ["ollama", "llamacpp", "lmstudio", "vllm", "other"] as const;
export type ServerKind = (typeof SERVERS)[number];

/** Names of the servers, as people read them. */
export const SERVER_NAMES: Readonly<Record<ServerKind, string>> = {
  ollama: "Ollama",
  llamacpp: "llama.cpp",
  lmstudio: "LM Studio",
  vllm: "vLLM",
  other: "OpenAI-compatible server",
};

export interface FoundModel {
  readonly name: string;
  /** Fills in the middle: as the server says, else by the model's name. */
  readonly infill: boolean;
}

export interface FoundServer {
  readonly server: ServerKind;
  readonly url: string;
  /** Models that write text, in the server's order; none when it wants a key first. */
  readonly models: readonly FoundModel[];
  readonly needsKey: boolean;
}

/** Ollama, llama.cpp, LM Studio, vLLM: the ports they listen on unless told otherwise. */
const USUAL_PORTS = [11434, 8080, 1234, 8000] as const;

/** Servers that listen on "localhost" may have only one of the two. */
const HOSTS = ["127.0.0.1", "[::1]"] as const;

/**
 * A server on this machine answers these at once, unless a model takes all its processors; one that never
 * answers must not hold up the list. Closed ports are refused in no time.
 */
const LIMITS: TimeLimits = { connect: 1_000, head: 2_500, idle: 1_000, total: 4_000 };

/** Models whose abilities are asked for one by one; further ones are judged by their names. */
const MAX_SHOWN_MODELS = 40;

const modelList = z.looseObject({
  data: z
    .array(z.looseObject({ id: z.string(), owned_by: z.string().optional(), type: z.string().optional() }))
    .nullish(),
});
type Listed = NonNullable<z.infer<typeof modelList>["data"]>;

const version = z.looseObject({ version: z.string() });
const abilities = z.looseObject({ capabilities: z.array(z.string()).optional() });

/**
 * The servers that answer, in the order of their ports. Never throws for what it finds; an aborted signal
 * gives what is known so far.
 */
export async function discover(
  http: HttpClient,
  signal: AbortSignal,
  ports: readonly number[] = USUAL_PORTS,
): Promise<readonly FoundServer[]> {
  const found = await Promise.all(
    ports.map(async (port) => {
      const [first, second] = await Promise.all(
        HOSTS.map((host) => probe(new Probe(http, `http://${host}:${port}`, signal))),
      );
      return first ?? second;
    }),
  );
  return found.filter((server) => server !== undefined);
}

/** The source that a found model is best used as. */
export function suggestSource(server: FoundServer, model: FoundModel): SourceConfig {
  const { url } = server;
  const name = model.name.split(/[\\/]/).at(-1) ?? model.name;
  const common = {
    id: `${server.server}:${new URL(url).host}:${model.name}`,
    url,
    model: model.name,
    label: `${SERVER_NAMES[server.server]}: ${name}`,
  };
  switch (server.server) {
    case "ollama":
      return { ...common, kind: model.infill ? "ollama" : "ollama-chat" };
    case "llamacpp":
      return { ...common, kind: model.infill ? "llamacpp" : "openai-chat" };
    case "lmstudio":
    case "vllm":
      // LM Studio ignores `suffix` without a word, vLLM refuses it.
      return model.infill
        ? { ...common, kind: "openai", modelTokens: true }
        : { ...common, kind: "openai-chat" };
    case "other":
      return { ...common, kind: model.infill ? "openai" : "openai-chat" };
    default:
      return server.server satisfies never;
  }
}

/** Small requests to one place; whatever goes wrong is "no answer". */
class Probe {
  readonly url: string;
  readonly #http: HttpClient;
  readonly #signal: AbortSignal;

  constructor(http: HttpClient, url: string, signal: AbortSignal) {
    this.#http = http;
    this.url = url;
    this.#signal = signal;
  }

  async ask(path: string, body?: unknown): Promise<{ reply: HttpReply; json: unknown } | undefined> {
    try {
      const reply = await this.#http.open({
        method: body === undefined ? "GET" : "POST",
        url: `${this.url}${path}`,
        ...(body === undefined ? {} : { body }),
        signal: this.#signal,
        limits: LIMITS,
        source: this.url,
      });
      return { reply, json: jsonOf(await wholeText(reply.body)) };
    } catch {
      return undefined;
    }
  }

  async has(path: string, shape: z.ZodType): Promise<boolean> {
    const answer = await this.ask(path);
    return answer?.reply.status === 200 && shape.safeParse(answer.json).success;
  }
}

async function probe(probing: Probe): Promise<FoundServer | undefined> {
  const answer = await probing.ask("/v1/models");
  if (answer === undefined) return undefined;
  const { reply, json } = answer;
  const needsKey = reply.status === 401 || reply.status === 403;
  const list = modelList.safeParse(json);
  if (!needsKey && (reply.status !== 200 || !list.success || list.data.data === undefined)) return undefined;
  const listed = list.success ? (list.data.data ?? []) : [];
  const server = (await recognise(probing, reply, listed)) ?? (needsKey ? undefined : "other");
  if (server === undefined) return undefined;
  const models = needsKey ? [] : await modelsOf(probing, server, listed);
  return { server, url: probing.url, models, needsKey };
}

/** Which server it is: by what it says of its models or of itself, else by a route that only it has. */
async function recognise(probing: Probe, reply: HttpReply, listed: Listed): Promise<ServerKind | undefined> {
  const owner = listed[0]?.owned_by ?? "";
  if (owner === "llamacpp" || reply.header("server") === "llama.cpp") return "llamacpp";
  if (owner === "vllm") return "vllm";
  if (/^organization[-_]owner$/.test(owner)) return "lmstudio";
  const [ollama, lmstudio, vllm] = await Promise.all([
    probing.has("/api/version", version),
    probing.has("/api/v0/models", z.looseObject({ data: z.array(z.unknown()) })),
    probing.has("/version", version),
  ]);
  if (ollama) return "ollama";
  if (lmstudio) return "lmstudio";
  return vllm ? "vllm" : undefined;
}

/** The models that write text; those that only embed are left out where the server tells. */
async function modelsOf(probing: Probe, server: ServerKind, listed: Listed): Promise<readonly FoundModel[]> {
  const byName = (name: string): FoundModel => ({ name, infill: canInfill(name) });
  if (server === "ollama") {
    const models = await Promise.all(
      listed.map(async ({ id }, index) => {
        if (index >= MAX_SHOWN_MODELS) return byName(id);
        const shown = abilities.safeParse((await probing.ask("/api/show", { model: id }))?.json);
        const can = shown.success ? shown.data.capabilities : undefined;
        if (can === undefined) return byName(id);
        return can.includes("completion") ? { name: id, infill: can.includes("insert") } : undefined;
      }),
    );
    return models.filter((model) => model !== undefined);
  }
  if (server === "lmstudio") {
    const detailed = modelList.safeParse((await probing.ask("/api/v0/models"))?.json);
    const embedding = new Set(
      (detailed.success ? (detailed.data.data ?? []) : [])
        .filter((model) => model.type === "embeddings")
        .map((model) => model.id),
    );
    return listed.filter((model) => !embedding.has(model.id)).map((model) => byName(model.id));
  }
  return listed.map((model) => byName(model.id));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
