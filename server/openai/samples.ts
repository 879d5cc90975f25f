/** Where the samples of a best-of-N request come from: the built-in writer, or a server elsewhere. */

export interface Sample {
  readonly text: string;
  /** Why it ended: by itself, or at the limit of tokens. */
  readonly finish: "stop" | "length";
  /** Sum of the natural logs of its tokens' probabilities and their number, where the writer says them. */
  readonly logprobs: { readonly sum: number; readonly tokens: number } | undefined;
}

export interface Samples {
  /** Name of the model that wrote them. */
  readonly model: string;
  readonly samples: readonly Sample[];
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
}

/** What is to be continued: a conversation, or a text with what follows it. */
export type Prompt =
  | {
      readonly kind: "chat";
      readonly messages: readonly { readonly role: string; readonly content: string }[];
    }
  | { readonly kind: "cursor"; readonly prefix: string; readonly suffix: string };

export interface SampleRequest {
  readonly prompt: Prompt;
  /** Samples wanted. */
  readonly count: number;
  /** The writer; undefined for the usual one. */
  readonly model: string | undefined;
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
}

export interface SampleSource {
  /**
   * Draws samples. There may be fewer than wanted, never none.
   * @throws ServiceError; the signal's reason when aborted
   */
  draw(request: SampleRequest, signal: AbortSignal): Promise<Samples>;
}
