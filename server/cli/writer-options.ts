/** Options of the commands that draw samples to rank them: where those come from, and how many. */
import { MOST_SAMPLES } from "../openai/requests.ts";
import type { SampleSource } from "../openai/samples.ts";
import { readUpstream, type Upstream, upstreamSource } from "../openai/upstream.ts";
import { wholeNumber } from "./arguments.ts";

export const WRITER_ARGS = {
  writer: { type: "string" },
  "best-of": { type: "string", default: "8" },
  upstream: { type: "string" },
  "upstream-model": { type: "string" },
} as const;

export const WRITER_USAGE = `  --writer W           the model that writes samples here: a name or a GGUF file (default: CODESCALER_WRITER, else one
                       that is installed)
  --best-of N          samples that are drawn and ranked for one request (default 8)
  --upstream URL       an OpenAI-compatible server that writes those samples, instead of the writer here; its key comes
                       from CODESCALER_UPSTREAM_KEY
  --upstream-model M   the model to ask it for (default: the one that a request names)`;

interface WriterValues {
  readonly "best-of": string;
  readonly upstream?: string | undefined;
  readonly "upstream-model"?: string | undefined;
}

export interface WriterOptions {
  readonly bestOf: number;
  /** Samples of another server; undefined where a model here writes them. */
  readonly source: SampleSource | undefined;
  /** That server. */
  readonly upstream: Upstream | undefined;
}

/** @throws UsageError, ServiceError for an address that is none */
export function writerOptions(values: WriterValues): WriterOptions {
  const key = process.env["CODESCALER_UPSTREAM_KEY"] || undefined;
  const upstream =
    values.upstream === undefined ? undefined : readUpstream(values.upstream, values["upstream-model"], key);
  return {
    bestOf: wholeNumber("best-of", values["best-of"], 1, MOST_SAMPLES),
    upstream,
    source: upstream && upstreamSource(upstream),
  };
}
