/** What sources that are reached over HTTP share. */
import { isLoopback } from "../../../shared/http/loopback.ts";
import { merge } from "../../base/merge.ts";
import type { CompleteOptions, Completion, CompletionRequest, Source } from "../source.ts";
import type { HttpClient } from "./http-client.ts";
import { requestCompletions, type WireRequest } from "./request-completions.ts";

/** What every source that is reached over HTTP is made from. */
export interface HttpSourceOptions {
  readonly id: string;
  readonly label: string;
  /** Base address, as the settings have it. */
  readonly address: string;
  readonly model: string;
  readonly automatic: boolean;
  /** Reads the API key anew. */
  readonly key: () => Promise<string | undefined>;
}

/** A source whose endpoint gives one completion a request: each is asked for by the same request. */
export function sourceOfOne(
  options: HttpSourceOptions,
  base: URL,
  http: HttpClient,
  toWire: (request: CompletionRequest, key: string | undefined) => WireRequest,
): Source {
  return {
    id: options.id,
    label: options.label,
    remote: !isLoopback(base),
    automatic: options.automatic,
    async *complete(request, complete) {
      const one = toWire(request, await options.key());
      yield* inParallel(http, Array<WireRequest>(request.count).fill(one), complete);
    },
  };
}

/**
 * `count` requests for one completion each, side by side.
 * @throws SourceError the first, after the completions of the others were yielded
 */
export async function* inParallel(
  http: HttpClient,
  requests: readonly WireRequest[],
  options: CompleteOptions,
): AsyncGenerator<Completion> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);
  try {
    yield* merge(requests.map((one) => requestCompletions(http, one, { ...options, signal })));
  } finally {
    leaving.abort();
  }
}
