/**
 * vLLM's pooling server as its release 0.33 answers (and, in what is used here, those since 0.15): real HTTP on
 * loopback, rewards from a function that may be the real engine, recorded requests, faults to inject.
 */
import type { ServerResponse } from "node:http";
import { listenOnLoopback, type NoAnswer, type ReceivedRequest, sendJson, sendNoAnswer } from "./loopback.ts";
import { answerFor, arranged, logitsFor, type Reward, type Setup, tokensRead } from "./vllm-setups.ts";

/** What goes wrong with one request for rewards. */
export type Fault =
  | NoAnswer
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

export interface RecordedRequest extends ReceivedRequest {
  readonly authorization: string | undefined;
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
  const loopback = await listenOnLoopback(options.port ?? 0, (request, response) =>
    handle(replay, options, request, response),
  );
  const replay = new VllmReplay(loopback.url, options.setup ?? "right", loopback.close);
  return replay;
}

async function handle(
  replay: VllmReplay,
  options: VllmOptions,
  request: ReceivedRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, path, body } = request;
  const { authorization } = request.headers;
  replay.requests.push({ ...request, authorization });
  const guarded = options.guardsAll === true || path.startsWith("/v1");
  if (options.key !== undefined && guarded && authorization !== `Bearer ${options.key}`) {
    return sendJson(response, 401, { error: "Unauthorized" });
  }
  const model = options.model ?? "reward-model";
  switch (`${method} ${path}`) {
    case "GET /health":
      response.writeHead(replay.healthy ? 200 : 503).end();
      return;
    case "GET /v1/models":
      return sendJson(response, 200, {
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
      return sendJson(response, 200, {
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
  const count = inputs.reduce((sum, tokens) => sum + tokensRead(replay.setup, tokens), 0);
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
      return sendJson(response, 200, { ...answer, data: data.slice(1) });
    case "twice":
      return sendJson(response, 200, {
        ...answer,
        data: data.map((item) => ({ ...Object(item), index: 0 })),
      });
    default:
      return sendJson(response, 200, answer);
  }
}

/** Does what a fault does instead of an answer; false when the fault comes later. */
function spoil(fault: Fault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case "status":
    case "page":
    case "silence":
      sendNoAnswer(fault, response);
      return true;
    case "cut":
      response.destroy();
      return true;
    default:
      return false;
  }
}

/** Token ids of one text or of several; undefined for anything else. */
function readInput(input: unknown): readonly (readonly number[])[] | undefined {
  if (!Array.isArray(input)) return undefined;
  const lists: readonly unknown[] = input.every((one) => typeof one === "number") ? [input] : input;
  const isIds = (list: unknown): list is readonly number[] =>
    Array.isArray(list) && list.length > 0 && list.every((one) => Number.isInteger(one));
  return lists.every(isIds) ? lists : undefined;
}

function notFound(response: ServerResponse): void {
  refuse(response, 404, "Not Found", "Not Found");
}

function refuse(response: ServerResponse, status: number, message: string, type = "BadRequestError"): void {
  sendJson(response, status, { error: { message, type, param: null, code: status } });
}
