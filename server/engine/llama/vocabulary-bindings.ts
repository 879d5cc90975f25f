/** What libllama says about a vocabulary and about the kind of a model; a part of bindings.ts. */
import { ServiceError } from "../../errors.ts";
import type { Pointer } from "./layouts.ts";
import type { Library } from "./native.ts";

/** Functions that give the id of a special token; -1 where the vocabulary has none. */
export const SPECIAL_TOKENS = {
  bos: "llama_vocab_bos",
  eos: "llama_vocab_eos",
  fillPrefix: "llama_vocab_fim_pre",
  fillSuffix: "llama_vocab_fim_suf",
  fillMiddle: "llama_vocab_fim_mid",
  fillRepository: "llama_vocab_fim_rep",
  fillFile: "llama_vocab_fim_sep",
} as const;
export type SpecialToken = keyof typeof SPECIAL_TOKENS;

export interface VocabularyBindings {
  vocabularySize(vocabulary: Pointer): number;
  /** Tokens of UTF-8 bytes, no BOS or EOS added. */
  tokenize(vocabulary: Pointer, text: Buffer, parseSpecial: boolean): Int32Array;
  /** Bytes of a token; of a control token its spelling. */
  piece(vocabulary: Pointer, token: number): Uint8Array;
  /** Id of a special token; undefined where the vocabulary has none. */
  specialToken(vocabulary: Pointer, which: SpecialToken): number | undefined;
  /** Whether the model was trained with texts that begin with BOS. */
  startsTexts(vocabulary: Pointer): boolean;
  /** Whether a text ends with this token. */
  endsText(vocabulary: Pointer, token: number): boolean;
  /** Why a model cannot be used token by token, completing "it …"; undefined: it can. */
  peculiarity(model: Pointer): string | undefined;
}

/** Bytes of the longest pieces; a longer one is asked for again. */
const PIECE_BYTES = 256;

export function vocabularyBindings(llama: Library): VocabularyBindings {
  const tokenize = llama.func(
    "int llama_tokenize(void *vocab, const void *text, int length, _Out_ int32_t *tokens, int capacity, bool add, bool special)",
  );
  const piece = llama.func(
    "int llama_token_to_piece(void *vocab, int token, void *text, int length, int strip, bool special)",
  );
  const special = new Map(
    Object.entries(SPECIAL_TOKENS).map(([which, name]) => [which, llama.func(`int ${name}(void *vocab)`)]),
  );
  const isRecurrent: (model: Pointer) => boolean = llama.func("bool llama_model_is_recurrent(void *model)");
  const isHybrid: (model: Pointer) => boolean = llama.func("bool llama_model_is_hybrid(void *model)");
  const isDiffusion: (model: Pointer) => boolean = llama.func("bool llama_model_is_diffusion(void *model)");
  const hasEncoder: (model: Pointer) => boolean = llama.func("bool llama_model_has_encoder(void *model)");
  const hasDecoder: (model: Pointer) => boolean = llama.func("bool llama_model_has_decoder(void *model)");
  const window: (model: Pointer) => number = llama.func("int llama_model_n_swa(void *model)");
  return {
    vocabularySize: llama.func("int llama_vocab_n_tokens(void *vocab)"),
    tokenize: (vocabulary, text, parseSpecial) => {
      // Few vocabularies yield more tokens than bytes, and then only one or two.
      let tokens = new Int32Array(text.length + 4);
      let count: number = tokenize(vocabulary, text, text.length, tokens, tokens.length, false, parseSpecial);
      if (count < 0 && -count > tokens.length) {
        tokens = new Int32Array(-count);
        count = tokenize(vocabulary, text, text.length, tokens, tokens.length, false, parseSpecial);
      }
      if (count < 0) throw new ServiceError("engine_failed", "The engine could not tokenize a text.");
      return tokens.slice(0, count);
    },
    piece: (vocabulary, token) => {
      let bytes = new Uint8Array(PIECE_BYTES);
      let count: number = piece(vocabulary, token, bytes, bytes.length, 0, true);
      if (count < 0) {
        bytes = new Uint8Array(-count);
        count = piece(vocabulary, token, bytes, bytes.length, 0, true);
      }
      return bytes.slice(0, Math.max(0, count));
    },
    specialToken: (vocabulary, which) => {
      const id: number = special.get(which)?.(vocabulary) ?? -1;
      return id < 0 ? undefined : id;
    },
    startsTexts: llama.func("bool llama_vocab_get_add_bos(void *vocab)"),
    endsText: llama.func("bool llama_vocab_is_eog(void *vocab, int token)"),
    peculiarity: (model) => {
      if (!hasDecoder(model) || hasEncoder(model)) return "reads a text with an encoder";
      if (isDiffusion(model)) return "does not write from left to right";
      if (isRecurrent(model) || isHybrid(model))
        return "keeps a recurrent state, which candidates cannot share";
      if (window(model) > 0) return `reads only a sliding window of ${window(model)} tokens`;
      return undefined;
    },
  };
}
