/** A model's tokenizer, also without its weights: libllama reads only the vocabulary of the file then. */
import { ServiceError } from "../../errors.ts";
import type { FillInTokens, LanguageTokenizer, Tokenizer } from "../engine.ts";
import type { EngineModel } from "../settings.ts";
import { type Bindings, lastError } from "./bindings.ts";
import type { Pointer } from "./layouts.ts";

export interface LoadedTokenizer extends Tokenizer {
  /** Token ids go from 0 to this, exclusive. */
  readonly vocabularySize: number;
  /** Frees the vocabulary; texts are refused from then on. */
  close(): void;
}

/**
 * Loads the vocabulary of a reward model's file or of one without weights.
 * @throws ServiceError model_unusable when libllama refuses the file
 */
export async function loadTokenizer(
  bindings: Bindings,
  file: Pick<EngineModel, "path" | "addedTokens">,
): Promise<LoadedTokenizer> {
  const model = await bindings.loadModelAsync(file.path, {
    ...bindings.modelDefaults(),
    vocab_only: true,
    n_gpu_layers: 0,
  });
  if (!model) {
    throw new ServiceError(
      "model_unusable",
      `The tokenizer cannot be loaded (${lastError(bindings)}). Get or convert it again.`,
    );
  }
  const vocabulary = bindings.vocabulary(model);
  let closed = false;
  return {
    ...vocabularyTokenizer(bindings, vocabulary, file.addedTokens, () => closed),
    vocabularySize: bindings.vocabularySize(vocabulary),
    close: () => {
      if (closed) return;
      closed = true;
      bindings.freeModel(model);
    },
  };
}

/**
 * The tokenizer of a loaded vocabulary.
 * @param closed whether the vocabulary was freed; texts are refused then
 */
export function vocabularyTokenizer(
  bindings: Bindings,
  vocabulary: Pointer,
  added: Tokenizer["added"],
  closed: () => boolean,
): LanguageTokenizer {
  /** Of the tokens that were asked for; at most the whole vocabulary, some 10 MB. */
  const pieces = new Map<number, Uint8Array>();
  const tokenize = (text: string, parseSpecial: boolean) => {
    if (closed()) throw shuttingDown();
    return bindings.tokenize(vocabulary, Buffer.from(text, "utf8"), parseSpecial);
  };
  return {
    encode: (text) => tokenize(text, false),
    encodeRendered: (text) => tokenize(text, true),
    bytesOf: (token) => {
      const known = pieces.get(token);
      if (known) return known;
      if (closed()) throw shuttingDown();
      const piece = bindings.piece(vocabulary, token);
      pieces.set(token, piece);
      return piece;
    },
    added,
    start: bindings.startsTexts(vocabulary) ? bindings.specialToken(vocabulary, "bos") : undefined,
    fillIn: fillInTokens(bindings, vocabulary),
  };
}

function fillInTokens(bindings: Bindings, vocabulary: Pointer): FillInTokens | undefined {
  const [prefix, suffix, middle, repository, file] = (
    ["fillPrefix", "fillSuffix", "fillMiddle", "fillRepository", "fillFile"] as const
  ).map((which) => bindings.specialToken(vocabulary, which));
  if (prefix === undefined || suffix === undefined || middle === undefined) return undefined;
  return { prefix, suffix, middle, repository, file };
}

/** Refused because its model is being closed; it may be asked of the next one. */
export function shuttingDown(): ServiceError {
  return new ServiceError("restarting", "The engine is shutting down. Send the request again.");
}
