/** From an address to an engine that is known to give this model's rewards: what runs there, and whether it is right. */
import type { Message } from "../../shared/contract.ts";
import type { Tokens } from "../engine/engine.ts";
import type { Renderer } from "../rendering/renderer.ts";
import { checkGolden } from "./check-rewards.ts";
import { codescaler, readHostedModels } from "./codescaler.ts";
import { EngineFailure } from "./engine-failure.ts";
import { ask } from "./request.ts";
import { isSglang, sglang } from "./sglang.ts";
import type { EngineTarget } from "./targets.ts";
import { OLDEST, readServedModels, readTokens, type ServedModel, tokenizeRequest, vllm } from "./vllm.ts";
import { isObject, type ScoreQuestion, type Wire, WireError, type WireScores } from "./wire.ts";

/** The model as this machine knows it, with its tokenizer. */
export interface LocalModel {
  /** Name under which it is installed. */
  readonly name: string;
  /** Repository it came from. */
  readonly source: string;
  /** Longest input, in tokens. */
  readonly maxTokens: number;
  readonly renderer: Renderer;
  encode(text: string): Tokens;
}

/** An engine that was checked. */
export interface Connection {
  readonly target: EngineTarget;
  readonly wire: Wire;
  /** The model's name there. */
  readonly model: string;
  /** Longest sequence it takes, in tokens. */
  readonly maxSequence: number;
  /** As the engine says them; undefined where it does not. */
  readonly revision: string | undefined;
  readonly type: string | undefined;
  /** Its rewards of the programs it was checked with. */
  readonly golden: Float64Array;
}

/** An engine that answers, and is not checked yet. */
type Recognised = Omit<Connection, "golden">;

export interface ConnectTiming {
  /** For answers that take no computing. */
  readonly shortMs: number;
  /** For the rewards of one request. */
  readonly scoreMs: number;
}

/** Spells no control token, so that the text can be sent as text: quotes, indents, accents, digits. */
const SAMPLE: readonly Message[] = [
  { role: "user", content: "Écrire greet(name): it returns 'Hello, NAME!' 12 345 times — naïvely." },
  { role: "assistant", content: 'def greet(name):\n    return f"Hello, {name}!" * 12_345\n' },
];

/**
 * Finds out what answers at an address and checks it.
 * @throws EngineFailure with what is wrong; the signal's reason when aborted
 */
export async function connect(
  target: EngineTarget,
  local: LocalModel,
  timing: ConnectTiming,
  signal: AbortSignal,
): Promise<Connection> {
  const short = { signal, timeoutMs: timing.shortMs };
  const answer = await ask(target, { method: "GET", path: "/v1/models" }, short);
  const connection = await explained(target, undefined, async () => recognise(target, local, answer));
  return explained(target, connection.wire, async () => {
    const where = (sequences: readonly Tokens[], activated: boolean) =>
      score(
        connection,
        { sequences, activated, priority: "interactive" },
        { signal, timeoutMs: timing.scoreMs },
      );
    await checkVocabulary(connection, local, short);
    const golden = await checkGolden(
      {
        render: (messages) => local.renderer.render(messages, {}).tokens,
        encode: local.encode,
        maxSequence: Math.min(connection.maxSequence, local.maxTokens),
      },
      async (sequences, activated) => (await where(sequences, activated)).rewards,
      connection.wire.activates,
    );
    return { ...connection, golden };
  });
}

/**
 * Asks an engine for rewards.
 * @throws EngineFailure; the signal's reason when aborted
 */
export async function score(
  { target, wire, model }: Recognised,
  question: Omit<ScoreQuestion, "model">,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<WireScores> {
  const answer = await ask(target, wire.score({ ...question, model }), options);
  try {
    return wire.readScores(answer, question.sequences);
  } catch (error) {
    throw error instanceof WireError ? wrong(target, wire, error) : error;
  }
}

/** The engine as a person would say it. */
export function describeConnections(connections: readonly Connection[]): string {
  const [first] = connections;
  if (first === undefined) return "no engine";
  const hosts = connections.map(({ target }) => target.host);
  const shown = hosts.length <= 3 ? hosts.join(", ") : `${hosts[0]} and ${hosts.length - 1} others`;
  return `${first.wire.product} at ${shown} (${first.model})`;
}

/** @throws WireError when nothing there can be meant */
function recognise(target: EngineTarget, local: LocalModel, answer: unknown): Recognised {
  const hosted = readHostedModels(answer);
  if (hosted !== undefined) {
    const found = hosted.find(({ id }) => id === local.name);
    if (found === undefined) {
      throw new WireError(
        `has no model named "${local.name}" (it has ${hosted.map(({ id }) => id).join(", ") || "none"}); install it there under that name`,
      );
    }
    const { id, revision, type } = found;
    const maxSequence = found.maxTokens ?? local.maxTokens;
    return { target, wire: codescaler, model: id, maxSequence, revision, type };
  }
  const served = readServedModels(answer);
  if (served === undefined) throw new WireError("is neither a vLLM, nor an SGLang, nor a CodeScaler server");
  const { id, maxTokens } = chosen(served, local);
  const maxSequence = maxTokens ?? local.maxTokens;
  return {
    target,
    wire: isSglang(answer) ? sglang : vllm,
    model: id,
    maxSequence,
    revision: undefined,
    type: undefined,
  };
}

/** The model by its repository or name; the only one there whatever it is called, since names are free. */
function chosen(served: readonly ServedModel[], local: LocalModel): ServedModel {
  const wanted = [local.source, local.name];
  const named = served.find(
    ({ id, root }) => wanted.includes(id) || (root !== undefined && wanted.includes(root)),
  );
  const [only, second] = served;
  if (named !== undefined) return named;
  if (only !== undefined && second === undefined) return only;
  throw new WireError(
    `serves ${served.map(({ id }) => id).join(", ") || "no model"}, and none of them is named ${wanted.join(" or ")}`,
  );
}

/** Token ids mean something only in the vocabulary they come from. */
async function checkVocabulary(
  connection: Recognised,
  local: LocalModel,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const { target, wire, model } = connection;
  const { text, tokens } = local.renderer.render(SAMPLE, {});
  if (wire === codescaler) {
    // Without turns: what a model adds for the text of a program is no part of the reward of its tokens.
    const plain = SAMPLE.map((message) => message.content).join("\n");
    const items = [{ text: plain }, { tokens: Array.from(local.renderer.encodeRendered(plain)) }];
    const answer = await ask(
      target,
      { method: "POST", path: "/v1/score", body: { model, items, priority: "interactive" } },
      options,
    );
    const rewards = isObject(answer) ? answer["rewards"] : undefined;
    if (Array.isArray(rewards) && rewards.length === 2 && rewards[0] === rewards[1]) return;
    throw new WireError(`has another model under the name "${local.name}": it cuts text into other tokens`);
  }
  // SGLang's route for it is experimental; the vocabulary's size and the golden programs have to do.
  if (wire === sglang) return;
  // Operators may have switched the route off; then the vocabulary's size and the golden programs have to do.
  const answer = await ask(target, tokenizeRequest(model, text), options).catch((error: unknown) => {
    if (error instanceof EngineFailure && error.kind === "unusable") return undefined;
    throw error;
  });
  const there = readTokens(answer);
  if (there === undefined) return;
  if (there.length === tokens.length && there.every((token, index) => token === tokens[index])) return;
  throw new WireError(`serves another model than ${local.name}: it cuts text into other tokens`);
}

/** What is wrong with answers, as a failure of the engine; a request refused during the checks is one too. */
async function explained<T>(
  target: EngineTarget,
  wire: Wire | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WireError) throw wrong(target, wire, error);
    if (error instanceof EngineFailure && error.kind === "refused") {
      const needs =
        wire === sglang
          ? " It must be an SGLang that serves a sequence classifier (--is-embedding)."
          : wire === vllm
            ? ` It must be vLLM ${OLDEST} or newer, serving a reward model.`
            : "";
      throw new EngineFailure("unusable", error.message + needs, { cause: error });
    }
    throw error;
  }
}

function wrong(target: EngineTarget, wire: Wire | undefined, error: WireError): EngineFailure {
  const name = wire === undefined ? target.host : `${wire.product} at ${target.host}`;
  return new EngineFailure(
    "unusable",
    `${name} ${error.message}. Set it up as docs/fleet.md says, or leave it out.`,
    { cause: error },
  );
}
