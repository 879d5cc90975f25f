/** What the tests of the sources share: a request, a client, collecting. */

import { createHttpClient, type HttpClient } from "../../../src/sources/http/http-client.ts";
import { createSource, type SourceConfig } from "../../../src/sources/setup/create.ts";
import type {
  CompleteOptions,
  Completion,
  CompletionRequest,
  Source,
  Spending,
} from "../../../src/sources/source.ts";
import { SourceError } from "../../../src/sources/source-error.ts";
import type { Replay } from "../../helpers/replay/replay.ts";

export const PREFIX = "def greatest_common_divisor(a, b):\n    ";
export const SUFFIX = "\n\nprint(greatest_common_divisor(12, 18))\n";
export const KEY = "sk-test-0123456789";

export const REQUEST: CompletionRequest = {
  prefix: PREFIX,
  suffix: SUFFIX,
  language: "python",
  path: "math/gcd.py",
  count: 1,
  maxTokens: 64,
  temperature: 0.8,
};

/** A client as with the editor's default settings. */
export const http: HttpClient = createHttpClient(() => ({ noProxy: [], strictSSL: true }));

export function sourceAt(
  replay: Pick<Replay, "url">,
  config: Partial<SourceConfig> & Pick<SourceConfig, "kind">,
  key?: string,
): Source {
  return createSource({ id: "tested", url: replay.url, model: "coder", ...config }, http, async () => key);
}

export interface Outcome {
  readonly completions: readonly Completion[];
  readonly texts: readonly string[];
  readonly error: SourceError | undefined;
  readonly spent: Spending;
}

/** Everything that a source gives for a request, the error it ends with, and what it spent in total. */
export async function outcome(
  source: Source,
  request: Partial<CompletionRequest> = {},
  options: Partial<CompleteOptions> = {},
): Promise<Outcome> {
  const completions: Completion[] = [];
  let error: SourceError | undefined;
  let spent: Spending = { requests: 0, promptTokens: 0, completionTokens: 0, estimated: false };
  const onSpent = (more: Spending) => {
    spent = {
      requests: spent.requests + more.requests,
      promptTokens: spent.promptTokens + more.promptTokens,
      completionTokens: spent.completionTokens + more.completionTokens,
      estimated: spent.estimated || more.estimated,
    };
  };
  try {
    const asked = source.complete(
      { ...REQUEST, ...request },
      { signal: new AbortController().signal, onSpent, ...options },
    );
    for await (const completion of asked) completions.push(completion);
  } catch (caught) {
    if (!(caught instanceof SourceError)) throw caught;
    error = caught;
  }
  return { completions, texts: completions.map(({ text }) => text), error, spent };
}
