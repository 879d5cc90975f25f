/**
 * How code models are asked to fill in the middle by their own tokens, for endpoints that take only a prompt
 * (vLLM, LM Studio, llama.cpp's OpenAI routes). Formats: the models' cards and tokenizer configurations.
 */

export interface InfillPrompt {
  readonly prompt: string;
  /** What ends a completion besides the model's end token; at most four, as OpenAI allows. */
  readonly stop: readonly string[];
}

interface InfillFormat {
  /** Matches the model's name as servers list it, in lower case. */
  readonly name: RegExp;
  readonly write: (prefix: string, suffix: string) => string;
  readonly stop: readonly string[];
}

const pipes = (prefix: string, suffix: string) =>
  `<|fim_prefix|>${prefix}<|fim_suffix|>${suffix}<|fim_middle|>`;
const plain = (prefix: string, suffix: string) => `<fim_prefix>${prefix}<fim_suffix>${suffix}<fim_middle>`;

const FORMATS: readonly InfillFormat[] = [
  {
    name: /qwen[\d.]*-?coder|codeqwen/,
    write: pipes,
    stop: ["<|endoftext|>", "<|file_sep|>", "<|fim_pad|>", "<|im_end|>"],
  },
  {
    name: /deepseek-?coder/,
    write: (prefix, suffix) => `<｜fim▁begin｜>${prefix}<｜fim▁hole｜>${suffix}<｜fim▁end｜>`,
    stop: ["<｜end▁of▁sentence｜>", "<|EOT|>", "<｜fim▁begin｜>"],
  },
  {
    name: /starcoder|stable-?code|granite[\w.-]*code|refact|santacoder/,
    write: plain,
    stop: ["<|endoftext|>", "<file_sep>", "<fim_prefix>"],
  },
  {
    name: /code-?llama/,
    // The spaces belong to the format: the tokenizer puts them before these tokens.
    write: (prefix, suffix) => `<PRE> ${prefix} <SUF>${suffix} <MID>`,
    stop: ["<EOT>", " <EOT>"],
  },
  { name: /code-?gemma/, write: pipes, stop: ["<|file_separator|>", "<|fim_prefix|>", "<end_of_turn>"] },
  {
    name: /codestral|mamba-codestral/,
    write: (prefix, suffix) => `[SUFFIX]${suffix}[PREFIX]${prefix}`,
    stop: ["</s>", "[SUFFIX]", "[PREFIX]"],
  },
];

/** Longest part of a model's name that is looked at. */
const NAME_LOOK = 200;

/** The prompt for a model by its name; undefined for names that are not known to fill in. */
export function infillPrompt(model: string, prefix: string, suffix: string): InfillPrompt | undefined {
  const name = model.slice(0, NAME_LOOK).toLowerCase();
  const family = FORMATS.find((one) => one.name.test(name));
  return family === undefined ? undefined : { prompt: family.write(prefix, suffix), stop: family.stop };
}

/** Whether a model is known to fill in the middle, by its name. */
export function canInfill(model: string): boolean {
  return infillPrompt(model, "", "") !== undefined;
}
