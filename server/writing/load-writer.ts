/** From a language model's file to a writer. */
import { type EngineOptions, startWriter } from "../engine/llama/start.ts";
import { ServiceError } from "../errors.ts";
import { hasRewardHead, readLanguageModel } from "../models/language-model.ts";
import type { ReadModel } from "../models/model-host.ts";
import { createTextWriter, type TextWriter } from "./text-writer.ts";

/** Reads models that write. */
export function readWriter(options: EngineOptions): ReadModel<TextWriter> {
  return async (id, path) => {
    if (await hasRewardHead(path)) {
      throw new ServiceError(
        "model_unusable",
        `${id} is a reward model: it judges, and cannot write. Name a code model as the writer.`,
      );
    }
    const file = await readLanguageModel(path);
    return async (onDevice) => {
      const engine = await startWriter(file, {
        ...options,
        onDevice: (device) => {
          onDevice(device);
          options.onDevice?.(device);
        },
      });
      return createTextWriter(id, file, engine);
    };
  };
}
