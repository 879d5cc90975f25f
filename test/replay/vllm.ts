/**
 * vLLM's pooling server as its release 0.33 answers (and, in what is used here, those since 0.15): real HTTP on
 * loopback, rewards from a function that may be the real engine, recorded requests, faults to inject.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Ids = readonly number[];

/** The raw logits of sequences of token ids, in order. */
export type Reward = (sequences: readonly Ids[]) => Promise<ArrayLike<number>>;

/** How a server is set up, or set up wrongly. */
export type Setup =
  /** `--runner pooling` for a sequence classifier with one label: what docs/fleet.md asks for. */
  | "right"
  /** The flag for raw logits is not known or not heeded: always a sigmoid. */
  | "probabilities"
  /** Softmax over one label. */
  | "softmax"
  /** `problem_type` regression: no activation at all. */
  | "regression"
  /** `seq_pooling_type` MEAN. */
  | "mean"
  /** `seq_pooling_type` CLS. */
  | "first"
  /** Two labels. */
  | "labels"
  /** Rewards stand in the answer in another order than the texts, rightly indexed. */
  | "shuffled"
  /** Rewards are swapped: the index lies. */
  | "swapped"
  /** The head's sign is wrong. */
  | "negated"
  /** A text's reward depends on the others of its batch. */
  | "company"
  /** Reads only the first tokens of a text, in silence. */
  | "truncating"
  /** Before 0.15: texts only. */
  | "old"
  /** An embedding or generating model: no such route. */
  | "generate";

/** What goes wrong with one request for rewards. */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly json?: unknown;
    }
  | { readonly kind: "page" }
  /** The connection is taken and nothing comes. */
  | { readonly kind: "silence" }
  /** The connection breaks before an answer. */
  | { readonly kind: "cut" }
  /** The connection breaks inside the answer. */
  | { readonly kind: "half" }
  /** Python's NaN, which is no JSON. */
  | { readonly kind: "nan" }
  | { readonly kind: "null" }
  /** One reward too few. */
  | { readonly kind: "short" }
  /** The same index twice. */
  | { readonly kind: "twice" };

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** Settles when the exchange is over: whether the client went away before it had the answer. */
  readonly aborted: Promise<boolean>;
}

export interface VllmOptions {
  readonly reward: Reward;
  /** What /tokenize answers; without it the route is not there. */
  readonly tokenize?: ((text: string) => readonly number[]) | undefined;
  readonly setup?: Setup;
  /** `--served-model-name`. */
  readonly model?: string;
  readonly root?: string;
  readonly maxModelLen?: number;
  /** `--api-key`: guards /v1 only, as in vLLM. */
  readonly key?: string;
  /** A reverse proxy guards everything with it. */
  readonly guardsAll?: boolean;
  readonly port?: number;
}

const TRUNCATED_TOKENS = 64;

export class VllmReplay {
  readonly url: string;
  readonly requests: RecordedRequest[] = [];
  /** Each applies to one request for rewards, in order. */
  readonly faults: Fault[] = [];
  /** Spoils requests for rewards by the number of their texts. */
  spoils: (texts: number) => Fault | undefined = () => undefined;
  setup: Setup;
  /** What /health says. */
  healthy = true;
  /** Holds answers back until it settles. */
  gate: Promise<void> = Promise.resolve();
  readonly #close: () => Promise<void>;

  constructor(url: string, setup: Setup, close: () => Promise<void>) {
    this.url = url;
    this.setup = setup;
    this.#close = close;
  }

  /** Requests for rewards. */
  get asked(): readonly RecordedRequest[] {
    return this.requests.filter(({ path }) => path === "/classify");
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

export async function startVllm(options: VllmOptions): Promise<VllmReplay> {
  const server = createServer();
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const ended = once(server, "close");
    server.closeAllConnections();
    server.close();
    await ended;
  };
  const replay = new VllmReplay(`http://127.0.0.1:${port}`, options.setup ?? "right", () => {
    closed ??= close();
    return closed;
  });
  server.on("request", (request, response) => {
    handle(replay, options, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  return replay;
}

async function handle(
  replay: VllmReplay,
  options: VllmOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const method = request.method ?? "GET";
  const { authorization } = request.headers;
  const aborted = new Promise<boolean>((resolve) => {
    response.once("close", () => resolve(!response.writableFinished));
  });
  const body = await bodyOf(request);
  replay.requests.push({ method, path, authorization, body, aborted });
  const guarded = options.guardsAll === true || path.startsWith("/v1");
  if (options.key !== undefined && guarded && authorization !== `Bearer ${options.key}`) {
    return send(response, 401, { error: "Unauthorized" });
  }
  const model = options.model ?? "reward-model";
  switch (`${method} ${path}`) {
    case "GET /health":
      response.writeHead(replay.healthy ? 200 : 503).end();
      return;
    case "GET /v1/models":
      return send(response, 200, {
        object: "list",
        data: [
          {
            id: model,
            object: "model",
            created: 1_763_000_000,
            owned_by: "vllm",
            root: options.root ?? model,
            parent: null,
            max_model_len: options.maxModelLen ?? 4096,
            permission: [],
          },
        ],
      });
    case "POST /tokenize": {
      if (options.tokenize === undefined) return notFound(response);
      const tokens = options.tokenize(String(body["prompt"]));
      return send(response, 200, {
        count: tokens.length,
        max_model_len: options.maxModelLen ?? 4096,
        tokens,
        token_strs: null,
      });
    }
    case "POST /classify":
      if (replay.setup === "generate") return notFound(response);
      return classify(replay, options, model, body, response);
    default:
      return notFound(response);
  }
}

async function classify(
  replay: VllmReplay,
  options: VllmOptions,
  model: string,
  body: Readonly<Record<string, unknown>>,
  response: ServerResponse,
): Promise<void> {
  const texts = Array.isArray(body["input"]) ? body["input"].length : 0;
  const fault = replay.faults.shift() ?? replay.spoils(texts);
  await replay.gate;
  if (fault !== undefined && spoil(fault, response)) return;
  if (body["model"] !== undefined && body["model"] !== model) {
    return refuse(response, 404, `The model \`${String(body["model"])}\` does not exist.`, "NotFoundError");
  }
  const inputs = readInput(body["input"]);
  if (inputs === undefined || replay.setup === "old") {
    return refuse(response, 400, "1 validation error: Input should be a valid string (input.0)");
  }
  const longest = options.maxModelLen ?? 4096;
  const tooLong = inputs.find((tokens) => tokens.length > longest);
  if (tooLong !== undefined) {
    return refuse(
      response,
      400,
      `This model's maximum context length is ${longest} tokens. However, your prompt contains ${tooLong.length} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt.`,
    );
  }
  const activated = body["use_activation"] !== false;
  const logits = await logitsFor(replay.setup, options.reward, inputs);
  const data = logits.map((logit, index) => ({
    index,
    label: "LABEL_0",
    ...answerFor(replay.setup, logit, activated),
  }));
  const read = replay.setup === "truncating" ? TRUNCATED_TOKENS : Number.POSITIVE_INFINITY;
  const count = inputs.reduce((sum, tokens) => sum + Math.min(tokens.length, read), 0);
  const answer = {
    id: `classify-${"0".repeat(32)}`,
    object: "list",
    created: 1_763_000_000,
    model,
    data: arranged(replay.setup, data),
    usage: {
      prompt_tokens: count,
      total_tokens: count,
      completion_tokens: 0,
      prompt_tokens_details: null,
      completion_tokens_details: null,
    },
  };
  switch (fault?.kind) {
    case "half": {
      const text = JSON.stringify(answer);
      response.writeHead(200, {
        "Content-Type": "application/json",
        "Content-Length": String(Buffer.byteLength(text)),
      });
      response.write(text.slice(0, text.length / 2), () => response.destroy());
      return;
    }
    case "nan":
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(answer).replace(/"probs":\[[^\]]*\]/, '"probs":[NaN]'));
      return;
    case "null":
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(answer).replace(/"probs":\[[^\]]*\]/, '"probs":[null]'));
      return;
    case "short":
      return send(response, 200, { ...answer, data: data.slice(1) });
    case "twice":
      return send(response, 200, { ...answer, data: data.map((item) => ({ ...Object(item), index: 0 })) });
    default:
      return send(response, 200, answer);
  }
}

/** `probs` and `num_classes` of one text. */
function answerFor(setup: Setup, logit: number, activated: boolean) {
  if (setup === "labels") return { probs: [logit, -logit], num_classes: 2 };
  if (setup === "softmax") return { probs: [1], num_classes: 1 };
  const sigmoid = 1 / (1 + Math.exp(-logit));
  const value = setup === "probabilities" || (activated && setup !== "regression") ? sigmoid : logit;
  return { probs: [value], num_classes: 1 };
}

async function logitsFor(setup: Setup, reward: Reward, inputs: readonly Ids[]): Promise<number[]> {
  const rewards = async (sequences: readonly Ids[]) => Array.from(await reward(sequences));
  switch (setup) {
    case "mean":
      // The head is linear, so the mean of the hidden states has the mean of the rewards of all prefixes.
      return Promise.all(
        inputs.map(async (tokens) => {
          const prefixes = await rewards(tokens.map((_, index) => tokens.slice(0, index + 1)));
          return prefixes.reduce((sum, one) => sum + one, 0) / tokens.length;
        }),
      );
    case "first":
      return rewards(inputs.map((tokens) => tokens.slice(0, 1)));
    case "truncating":
      return rewards(inputs.map((tokens) => tokens.slice(0, TRUNCATED_TOKENS)));
    case "negated":
      return (await rewards(inputs)).map((one) => -one);
    case "company":
      return (await rewards(inputs)).map((one) => one + inputs.length);
    default:
      return rewards(inputs);
  }
}

function arranged(setup: Setup, data: readonly unknown[]): readonly unknown[] {
  if (setup === "shuffled") return [...data].reverse();
  if (setup !== "swapped") return data;
  return [...data].reverse().map((item, index) => ({ ...Object(item), index }));
}

/** Does what a fault does instead of an answer; false when the fault comes later. */
function spoil(fault: Fault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case "status":
      response.writeHead(fault.status, { "Content-Type": "application/json", ...fault.headers });
      response.end(JSON.stringify(fault.json ?? {}));
      return true;
    case "page":
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
      response.end("<!DOCTYPE html><html><body>Please sign in.</body></html>");
      return true;
    case "silence":
      return true;
    case "cut":
      response.destroy();
      return true;
    default:
      return false;
  }
}

/** Token ids of one text or of several; undefined for anything else. */
function readInput(input: unknown): readonly Ids[] | undefined {
  if (!Array.isArray(input)) return undefined;
  const lists: readonly unknown[] = input.every((one) => typeof one === "number") ? [input] : input;
  const isIds = (list: unknown): list is Ids =>
    Array.isArray(list) && list.length > 0 && list.every((one) => Number.isInteger(one));
  return lists.every(isIds) ? lists : undefined;
}

function notFound(response: ServerResponse): void {
  refuse(response, 404, "Not Found", "Not Found");
}

function refuse(response: ServerResponse, status: number, message: string, type = "BadRequestError"): void {
  send(response, status, { error: { message, type, param: null, code: status } });
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(json));
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const parsed: unknown = text === "" ? {} : JSON.parse(text);
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
}
