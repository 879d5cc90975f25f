/**
 * The editor's own language models (`vscode.lm`), seen through the few members that are used, so that this
 * file needs no editor. They ask for consent at first use, which must follow an action of the user: never
 * asked automatically.
 */

import { merge } from "../../base/merge.ts";
import { CompletionAssembler } from "../http/completion-assembler.ts";
import { estimate } from "../http/request-completions.ts";
import type { CompleteOptions, Completion, CompletionRequest, Source } from "../source.ts";
import { SourceError } from "../source-error.ts";
import { chatMessages } from "./prompt.ts";

export interface EditorModel {
  /** Sends one conversation of user messages; gives the answer's pieces. */
  readonly send: (
    messages: readonly string[],
    temperature: number,
    signal: AbortSignal,
  ) => Promise<AsyncIterable<string>>;
}

export interface EditorOptions {
  readonly id: string;
  readonly label: string;
  /** The chosen model; undefined when the editor does not offer it now. */
  readonly model: () => Promise<EditorModel | undefined>;
}

export function editorSource(options: EditorOptions): Source {
  return {
    id: options.id,
    label: options.label,
    // Nothing says where the editor's providers run.
    remote: true,
    automatic: false,
    async *complete(request, complete) {
      const model = await selected(options);
      const leaving = new AbortController();
      const signal = AbortSignal.any([complete.signal, leaving.signal]);
      const all = Array.from({ length: request.count }, () =>
        askOnce(model, options.label, request, { ...complete, signal }),
      );
      try {
        yield* merge(all);
      } finally {
        leaving.abort();
      }
    },
  };
}

async function selected(options: EditorOptions): Promise<EditorModel> {
  try {
    const model = await options.model();
    if (model !== undefined) return model;
  } catch (error) {
    throw editorFailure(error, options.label);
  }
  throw new SourceError("no_editor_model", { source: options.label });
}

async function* askOnce(
  model: EditorModel,
  source: string,
  request: CompletionRequest,
  options: CompleteOptions,
): AsyncGenerator<Completion> {
  const stop = new AbortController();
  const assembler = new CompletionAssembler(1, options);
  const messages = chatMessages(request).map((message) => message.content);
  options.onSpent?.({ requests: 1, promptTokens: 0, completionTokens: 0, estimated: false });
  try {
    const signal = AbortSignal.any([options.signal, stop.signal]);
    for await (const piece of await model.send(messages, request.temperature, signal)) {
      const whole = assembler.add(0, piece);
      if (whole === undefined) continue;
      yield whole;
      return;
    }
    yield* assembler.endAll(!options.signal.aborted);
  } catch (error) {
    yield* assembler.endAll(false);
    if (!options.signal.aborted) throw editorFailure(error, source);
  } finally {
    stop.abort();
    options.onSpent?.({
      requests: 0,
      promptTokens: estimate(messages.reduce((sum, text) => sum + text.length, 0)),
      completionTokens: estimate(assembler.chars),
      estimated: true,
    });
  }
}

/** What a `LanguageModelError` means; its `code` is the name of the factory that made it. */
function editorFailure(error: unknown, source: string): SourceError {
  if (error instanceof SourceError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "NoPermissions":
      return new SourceError("no_consent", { source });
    case "NotFound":
      return new SourceError("no_editor_model", { source });
    case "Blocked":
      return new SourceError("editor_refused", { source });
    default:
      return new SourceError("unexpected", { source });
  }
}
