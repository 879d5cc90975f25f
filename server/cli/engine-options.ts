/** Options that every command with an engine shares, from flags first and the environment second. */
import { DEVICES } from "../engine/llama/start.ts";
import type { HostOptions } from "../ranking/load-judge.ts";
import { readTargets } from "../remote/targets.ts";
import { oneOf, wholeNumber } from "./arguments.ts";

const PRECISIONS = ["fast", "exact"] as const;

export const ENGINE_ARGS = {
  model: { type: "string" },
  device: { type: "string" },
  threads: { type: "string" },
  "context-tokens": { type: "string" },
  precision: { type: "string", default: "fast" },
  engine: { type: "string", multiple: true },
} as const;

export const ENGINE_USAGE = `  --model M            a model's name, or a GGUF file (default: CODESCALER_MODEL, else the best installed)
  --device D           auto, gpu or cpu (default: CODESCALER_DEVICE, else auto)
  --threads T          threads of the CPU (default: CODESCALER_THREADS, else by cores)
  --context-tokens C   size of the KV cache in tokens (default: by device and memory)
  --precision P        fast (default), or exact: float32 keys and values, to compare with other implementations
  --engine URL         let a vLLM or another CodeScaler server have the weights; give it once for each of several.
                       Its token comes from CODESCALER_ENGINE_TOKEN; docs/fleet.md says how to set one up`;

interface EngineValues {
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  readonly threads?: string | undefined;
  readonly "context-tokens"?: string | undefined;
  readonly precision: string;
  readonly engine?: readonly string[] | undefined;
}

/**
 * @throws UsageError for a value that cannot be meant; ServiceError for an address that is none
 */
export function engineOptions(values: EngineValues): HostOptions {
  const device = values.device ?? process.env["CODESCALER_DEVICE"];
  const threads = values.threads ?? process.env["CODESCALER_THREADS"];
  const context = values["context-tokens"];
  return {
    device: device === undefined ? "auto" : oneOf("device", device, DEVICES),
    threads: threads === undefined ? undefined : wholeNumber("threads", threads, 1, 1024),
    contextTokens: context === undefined ? undefined : wholeNumber("context-tokens", context, 256, 1_048_576),
    onDevice: ({ reason }) => {
      if (reason !== null) process.stderr.write(`${reason}\n`);
    },
    precision: oneOf("precision", values.precision, PRECISIONS),
    remote: values.engine && {
      targets: readTargets(values.engine, process.env["CODESCALER_ENGINE_TOKEN"] || undefined),
    },
  };
}
