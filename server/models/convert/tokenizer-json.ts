/**
 * tokenizer.json of a Hugging Face folder → the vocabulary of a GGUF.
 * Only byte-level BPE whose pre-tokenizer llama.cpp knows exactly: anything else would tokenize a little
 * differently there, and shift every reward without a word. Pure.
 */

import { asArray, asNumber, asObject, asString, type JsonObject, unusable } from "../../files/json-file.ts";
import { type Normalizer, type PreTokenizer, TOKEN_TYPE, type Vocabulary } from "../gguf/keys.ts";
import { byteAlphabet } from "./byte-alphabet.ts";

const QWEN2_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Spellings that llama.cpp parses even where control tokens are off; a candidate could forge them. */
const ALWAYS_PARSED: ReadonlySet<string> = new Set([
  "<|channel|>",
  "<|message|>",
  "<|start|>",
  "<|constrain|>",
]);

/**
 * @param path of the tokenizer.json, for messages
 * @param settings tokenizer_config.json
 * @param rows of the embedding; ids without a token become unused ones
 * @throws ServiceError model_unusable
 */
export function parseTokenizer(
  path: string,
  tokenizer: JsonObject,
  settings: JsonObject,
  rows: number,
): Vocabulary {
  const model = asObject(tokenizer["model"]) ?? {};
  const pre = preTokenizer(path, tokenizer, model);
  const spelled = ordinaryTokens(path, model, rows);
  const added = addedTokens(path, tokenizer, settings, rows);
  const types = new Int32Array(rows).fill(TOKEN_TYPE.unused);
  for (const id of spelled.values()) types[id] = TOKEN_TYPE.normal;
  for (const [spelling, id] of added) {
    const known = spelled.get(spelling);
    if ((known ?? id) !== id)
      throw unusable(path, `gives the token ${quoted(spelling)} two ids. Download the model again.`);
    spelled.set(spelling, id);
    types[id] = TOKEN_TYPE.control;
  }
  const tokens = new Array<string>(rows).fill("");
  for (const [spelling, id] of spelled) {
    if (tokens[id] !== "")
      throw unusable(path, `gives the id ${id} to two tokens. Download the model again.`);
    tokens[id] = spelling;
  }
  for (let id = 0; id < rows; id++) {
    if (tokens[id] !== "") continue;
    let filler = `[PAD${id}]`;
    while (spelled.has(filler)) filler = `[${filler}]`;
    tokens[id] = filler;
  }
  const idOf = (key: string): number | undefined => {
    const value = settings[key];
    const spelling = asString(value) ?? asString(asObject(value)?.["content"]);
    return spelling === undefined ? undefined : spelled.get(spelling);
  };
  return {
    tokens,
    types,
    merges: merges(path, model, spelled),
    pre,
    bos: idOf("bos_token"),
    eos: idOf("eos_token"),
    pad: idOf("pad_token"),
    normalizer: normalizer(path, tokenizer),
  };
}

/** llama.cpp's name for what the tokenizer does before its merges. */
function preTokenizer(path: string, tokenizer: JsonObject, model: JsonObject): PreTokenizer {
  if (model["type"] !== "BPE" || model["byte_fallback"] === true || model["dropout"] || affixed(model)) {
    throw unusable(path, "is no byte-level BPE tokenizer. Only models with one can be converted.");
  }
  const steps = flatten(tokenizer["pre_tokenizer"]);
  const last = steps.at(-1);
  if (last?.["type"] !== "ByteLevel" || last["add_prefix_space"] === true) {
    throw unusable(path, "is no byte-level BPE tokenizer. Only models with one can be converted.");
  }
  const ignoresMerges = model["ignore_merges"] === true;
  const [split] = steps;
  if (steps.length === 1 && last["use_regex"] !== false && !ignoresMerges) return "gpt-2";
  if (steps.length === 2 && split?.["type"] === "Split" && last["use_regex"] === false) {
    const isolates = split["behavior"] === "Isolated" && split["invert"] !== true;
    const pattern = asString(asObject(split["pattern"])?.["Regex"]);
    if (isolates && pattern === QWEN2_SPLIT && !ignoresMerges) return "qwen2";
    // The same split; llama.cpp's two names differ in whether a whole word that is a token skips the merges.
    if (isolates && pattern === LLAMA3_SPLIT) return ignoresMerges ? "llama-bpe" : "smaug-bpe";
  }
  throw unusable(
    path,
    "splits text in a way that is not known. The splits of Qwen2, Llama 3 and GPT-2 can be converted.",
  );
}

function affixed(model: JsonObject): boolean {
  return Boolean(model["continuing_subword_prefix"]) || Boolean(model["end_of_word_suffix"]);
}

/** The steps of a normalizer or pre-tokenizer, sequences opened. */
function flatten(value: unknown): readonly JsonObject[] {
  const step = asObject(value);
  if (step === undefined) return [];
  if (step["type"] !== "Sequence") return [step];
  const parts = asArray(step["pretokenizers"]) ?? asArray(step["normalizers"]) ?? [];
  return parts.map((part) => asObject(part) ?? {});
}

function normalizer(path: string, tokenizer: JsonObject): Normalizer {
  const steps = flatten(tokenizer["normalizer"]);
  if (steps.length === 0) return "none";
  if (steps.length === 1 && steps[0]?.["type"] === "NFC") return "NFC";
  throw unusable(path, "normalises text in a way that is not known. None and NFC can be converted.");
}

function ordinaryTokens(path: string, model: JsonObject, rows: number): Map<string, number> {
  const spelled = new Map<string, number>();
  for (const [spelling, value] of Object.entries(asObject(model["vocab"]) ?? {})) {
    spelled.set(spelling, checkedId(path, spelling, value, rows));
  }
  if (!byteAlphabet().every((letter) => spelled.has(letter))) {
    throw unusable(path, "lacks tokens for single bytes: it is no byte-level BPE tokenizer.");
  }
  return spelled;
}

function addedTokens(
  path: string,
  tokenizer: JsonObject,
  settings: JsonObject,
  rows: number,
): ReadonlyMap<string, number> {
  const added = new Map<string, number>();
  const add = (token: JsonObject, id: unknown): void => {
    const spelling = asString(token["content"]);
    if (spelling === undefined || spelling === "") {
      throw unusable(path, "has an added token without a spelling. Download the model again.");
    }
    if (token["lstrip"] === true || token["rstrip"] === true || token["single_word"] === true) {
      throw unusable(
        path,
        `has the added token ${quoted(spelling)}, which swallows spaces: it cannot be converted.`,
      );
    }
    if (ALWAYS_PARSED.has(spelling)) {
      throw unusable(
        path,
        `has the added token ${quoted(spelling)}, which candidates could forge: it cannot be converted.`,
      );
    }
    const number = checkedId(path, spelling, id, rows);
    if ((added.get(spelling) ?? number) !== number) {
      throw unusable(path, `gives the token ${quoted(spelling)} two ids. Download the model again.`);
    }
    added.set(spelling, number);
  };
  for (const entry of asArray(tokenizer["added_tokens"]) ?? []) {
    const token = asObject(entry) ?? {};
    add(token, token["id"]);
  }
  // Transformers adds those of tokenizer_config.json that tokenizer.json does not have.
  for (const [id, entry] of Object.entries(asObject(settings["added_tokens_decoder"]) ?? {})) {
    add(asObject(entry) ?? {}, Number(id));
  }
  return added;
}

function checkedId(path: string, spelling: string, value: unknown, rows: number): number {
  const id = asNumber(value);
  if (id === undefined || !Number.isInteger(id) || id < 0) {
    throw unusable(path, `gives the token ${quoted(spelling)} no proper id. Download the model again.`);
  }
  if (id >= rows) {
    throw unusable(
      path,
      `has the token ${quoted(spelling)} beyond the ${rows} rows of the embedding. Download the model again.`,
    );
  }
  return id;
}

function merges(path: string, model: JsonObject, spelled: ReadonlyMap<string, number>): string[] {
  const seen = new Set<string>();
  for (const entry of asArray(model["merges"]) ?? []) {
    const pair = typeof entry === "string" ? entry.split(" ") : asArray(entry);
    const [left, right] = pair ?? [];
    if (
      pair?.length !== 2 ||
      typeof left !== "string" ||
      typeof right !== "string" ||
      left.includes(" ") ||
      right.includes(" ") ||
      !spelled.has(left + right)
    ) {
      throw unusable(
        path,
        `has the impossible merge ${quoted(JSON.stringify(entry) ?? "")}. Download the model again.`,
      );
    }
    const merge = `${left} ${right}`;
    if (seen.has(merge))
      throw unusable(path, `has the merge ${quoted(merge)} twice. Download the model again.`);
    seen.add(merge);
  }
  return [...seen];
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
