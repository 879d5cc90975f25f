/** The writers of a process: one is kept in memory, and on weights that a judge has loaded already it takes no others. */
import type { EngineOptions } from "../engine/llama/start.ts";
import { ModelHost } from "../models/model-host.ts";
import { findWriter, findWriterNamed } from "./find-writer.ts";
import { readWriter } from "./load-writer.ts";
import type { TextWriter } from "./text-writer.ts";

/** Name of the writer of requests that name none; no model is called so. */
const USUAL = "";

/**
 * @param wanted the usual writer: a name or a file; undefined for the default
 * @param room resolves when there is memory for a model
 */
export function writerHost(
  options: EngineOptions,
  wanted: string | undefined,
  room?: () => Promise<void>,
): ModelHost<TextWriter> {
  // Looked for once: it is in the header of each installed file whether that is a writer.
  let usual: ReturnType<typeof findWriter> | undefined;
  const findUsual = async () => {
    usual ??= findWriter(wanted);
    try {
      return await usual;
    } catch (error) {
      usual = undefined;
      throw error;
    }
  };
  return new ModelHost(
    {
      find: async (name) => {
        await room?.();
        return name === USUAL ? findUsual() : findWriterNamed(name);
      },
    },
    USUAL,
    readWriter(options),
  );
}
