/** A language model ready to write: its file, its way of being asked, and the engine that samples. */
import type { Message, ModelIdentity } from "../../shared/contract.ts";
import type { SampleRequest, Samples, Writer } from "../engine/writer.ts";
import { ServiceError } from "../errors.ts";
import type { LanguageModelFile } from "../models/language-model.ts";
import { type Cursor, createPromptRenderer } from "../rendering/prompt.ts";

/** What is to be continued. */
export type Prompt =
  | {
      readonly messages: readonly Message[];
      /** Of the code that is wanted, if it is known. */
      readonly language?: string | undefined;
    }
  | { readonly cursor: Cursor };

export interface WriteRequest extends Omit<SampleRequest, "prompt"> {
  readonly prompt: Prompt;
}

export interface Written extends Samples {
  readonly promptTokens: number;
  /** Something of the prompt was left out, because it did not fit. */
  readonly truncated: boolean;
}

export interface TextWriter {
  readonly identity: ModelIdentity;
  /**
   * Writes samples that differ from each other.
   * @throws ServiceError invalid_request, too_long, too_busy, engine_failed; the signal's reason when aborted
   */
  write(request: WriteRequest): Promise<Written>;
  close(): Promise<void>;
}

/** Less room than this for a prompt is none. */
const LEAST_PROMPT = 128;

/** Joins the parts of a loaded model. */
export function createTextWriter(id: string, file: LanguageModelFile, engine: Writer): TextWriter {
  const renderer = createPromptRenderer(file, engine.tokenizer);
  return {
    identity: { id, revision: file.revision, type: file.type, device: engine.device },
    write: async ({ prompt, ...request }) => {
      const room = engine.contextTokens - request.count * request.maxTokens;
      if (room < LEAST_PROMPT) {
        throw new ServiceError(
          "too_long",
          `${request.count} completions of ${request.maxTokens} tokens leave no room for a prompt in the writer's context of ${engine.contextTokens}. Ask for fewer or shorter ones, or start the server with a larger --context-tokens.`,
        );
      }
      const { tokens, cut, stops } =
        "cursor" in prompt
          ? renderer.cursor(prompt.cursor, room)
          : renderer.chat(prompt.messages, prompt.language, room);
      const samples = await engine.sample({
        ...request,
        prompt: tokens,
        stops: [...request.stops, ...stops],
      });
      return { ...samples, promptTokens: tokens.length, truncated: cut };
    },
    close: () => engine.close(),
  };
}
