/** What a reward model's GGUF says about itself: head, template, vocabulary facts, sizes. */
import { ServiceError } from "../errors.ts";
import type { Architecture, Shape } from "./convert/architectures.ts";
import { matchingDefect, matchingIn } from "./convert/matching-file.ts";
import { ngramDefect } from "./convert/ngram-file.ts";
import { CHECKSUM_KEY } from "./gguf/format.ts";
import { Getter } from "./gguf/getter.ts";
import { FILE_TYPES, type FileType, isFileType } from "./gguf/ggml.ts";
import {
  type Family,
  FORMAT,
  isFamily,
  KEYS,
  type MatchingModel,
  type NgramModel,
  type Normalizer,
  TOKEN_TYPE,
} from "./gguf/keys.ts";
import { type GgufHeader, readGguf } from "./gguf/read.ts";
import { checkStructure, checkVocabulary, unusableModel } from "./gguf/structure.ts";
import { quoted } from "./gguf/values.ts";

/** What every file says of the model it belongs to. */
interface Origin {
  readonly path: string;
  readonly family: Family;
  /** Where it came from: a repository name or folder. */
  readonly source: string;
  readonly revision: string;
  /** Longest input, in tokens. */
  readonly maxTokens: number;
  readonly fileBytes: number;
}

/** What a list of models shows. */
export interface ModelFacts extends Origin {
  /** Number format of the weights. */
  readonly type: FileType;
  /** Size of the hidden states. */
  readonly hidden: number;
}

/** Everything that rendering and tokenizing need to know of a model, wherever its weights are. */
export interface TokenizerFile extends Origin {
  /** Jinja source, as the model's authors wrote it. */
  readonly chatTemplate: string;
  readonly normalizer: Normalizer;
  /** `sigmoid(slope · reward + intercept)` is the chance of being right. */
  readonly calibration: { readonly slope: number; readonly intercept: number } | undefined;
  /** Criterion → wording of its system turn; empty for models that have none. */
  readonly criteria: ReadonlyMap<string, string>;
  /** SHA-256 over the file, as it says itself; what belongs to this very model is kept by it. */
  readonly checksum: string | undefined;
  /** The linear part of the reward, where the model has one. */
  readonly ngram: NgramModel | undefined;
  /** The matching part of the reward, where the model has one. */
  readonly matching: MatchingModel | undefined;
  /** Spelling → id of all added tokens. */
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
}

/** Everything that rendering, tokenizing and scoring need to know of a model file. */
export interface RewardModelFile extends ModelFacts, TokenizerFile {
  /** Weights of the reward head: float32 [hidden]. */
  readonly head: Float32Array;
  readonly bias: number;
  readonly architecture: Architecture;
  readonly shape: Shape;
  /** Positions the model was trained for. */
  readonly contextLength: number;
  readonly layers: number;
  readonly kvHeads: number;
  /** Size of a key, and of a value, of one head. */
  readonly headDim: number;
  /** Bytes of keys and values per token at float16. */
  readonly kvBytesPerToken: number;
}

/** Longest criteria text and template that are taken: the published ones have a few kilobytes. */
const TEMPLATE_CHARS = 1_000_000;

/** Keys of arrays that cost time to read and that only llama.cpp needs. */
const LARGE_KEYS: ReadonlySet<string> = new Set([KEYS.merges, "tokenizer.ggml.scores"]);
const VOCABULARY_KEYS: ReadonlySet<string> = new Set([
  KEYS.tokens,
  KEYS.tokenTypes,
  KEYS.headWeight,
  KEYS.ngramWeights,
  KEYS.matchingProblem,
  KEYS.matchingProgram,
]);

/**
 * Reads what a list shows, stepping over vocabulary and head.
 * @throws ServiceError model_unusable, model_not_found
 */
export async function readModelFacts(path: string): Promise<ModelFacts> {
  const header = await readGguf(path, (key) => !LARGE_KEYS.has(key) && !VOCABULARY_KEYS.has(key));
  return modelFacts(path, header);
}

/**
 * Reads a reward model's file, weights excepted.
 * @throws ServiceError model_unusable when it is no complete reward model of ours, model_not_found
 */
export async function readRewardModel(path: string): Promise<RewardModelFile> {
  return rewardModel(path, await readGguf(path, (key) => !LARGE_KEYS.has(key)));
}

/** The same for a header that was read before. */
export function rewardModel(path: string, header: GgufHeader): RewardModelFile {
  const facts = modelFacts(path, header);
  const get = new Getter(path, header);
  const head = get.floats(KEYS.headWeight);
  const bias = get.float(KEYS.headBias) ?? 0;
  if (head.length !== facts.hidden) {
    throw unusableModel(
      path,
      `has a reward head of ${head.length} weights for a hidden size of ${facts.hidden}`,
    );
  }
  if (!head.every(Number.isFinite) || !Number.isFinite(bias)) {
    throw unusableModel(path, "has a reward head with values that are not numbers");
  }
  const { architecture, shape } = checkStructure(path, header);
  return {
    ...inputOf(path, header, get),
    ...facts,
    head,
    bias,
    architecture,
    shape,
    contextLength: shape.maxPositions,
    layers: shape.layers,
    kvHeads: shape.kvHeads,
    headDim: shape.headDim,
    // Two bytes each for a key and a value.
    kvBytesPerToken: 2 * shape.layers * shape.kvHeads * 2 * shape.headDim,
  };
}

/**
 * Reads what rendering and tokenizing need, of a reward model or of a file that holds nothing else.
 * @throws ServiceError model_unusable, model_not_found
 */
export async function readTokenizerFile(path: string): Promise<TokenizerFile> {
  const header = await readGguf(path, (key) => !LARGE_KEYS.has(key));
  checkVocabulary(path, header);
  return inputOf(path, header, new Getter(path, header));
}

/** The header's structure must have been checked: its tokens are looked up here. */
function inputOf(path: string, header: GgufHeader, get: Getter): TokenizerFile {
  const chatTemplate = get.text(KEYS.chatTemplate);
  if (chatTemplate.length > TEMPLATE_CHARS) throw unusableModel(path, "has a chat template of absurd length");
  const normalizer = get.text(KEYS.normalizer);
  if (normalizer !== "NFC" && normalizer !== "none") {
    throw unusableModel(path, `asks for the text normal form ${quoted(normalizer)}, which is not known`);
  }
  const tokens = get.texts(KEYS.tokens);
  const addedTokens = new Map<string, number>();
  get.ints(KEYS.tokenTypes).forEach((type, id) => {
    const spelling = tokens[id];
    if (type === TOKEN_TYPE.control && spelling !== undefined) addedTokens.set(spelling, id);
  });
  const slope = get.float(KEYS.slope);
  const intercept = get.float(KEYS.intercept);
  const spellingOf = (key: string): string | undefined => {
    const id = header.metadata.get(key);
    return id?.kind === "uint32" ? tokens[id.value] : undefined;
  };
  return {
    ...originOf(path, header, get),
    chatTemplate,
    normalizer,
    calibration: slope !== undefined && intercept !== undefined ? { slope, intercept } : undefined,
    criteria: criteriaOf(path, header),
    checksum: checksumOf(header),
    ngram: ngramOf(path, header, get),
    matching: matchingOf(path, header, get),
    addedTokens,
    bosToken: spellingOf(KEYS.bos),
    eosToken: spellingOf(KEYS.eos),
  };
}

function modelFacts(path: string, header: GgufHeader): ModelFacts {
  const get = new Getter(path, header);
  const architecture = get.text("general.architecture");
  if (!header.metadata.has(KEYS.headWeight)) {
    throw new ServiceError(
      "model_unusable",
      `${path} has no reward head: it is an ordinary language model. Convert a reward model with \`codescaler models convert\`.`,
    );
  }
  const origin = originOf(path, header, get);
  const type = get.text(KEYS.type);
  if (!isFileType(type)) throw unusableModel(path, `names a type that is none of ${FILE_TYPES.join(", ")}`);
  return { ...origin, type, hidden: get.uint(`${architecture}.embedding_length`) };
}

function originOf(path: string, header: GgufHeader, get: Getter): Origin {
  const format = get.uint(KEYS.format);
  if (format > FORMAT) {
    throw new ServiceError(
      "model_unusable",
      `${path} was written by a newer version of CodeScaler (format ${format}). Update CodeScaler.`,
    );
  }
  const family = get.text(KEYS.family);
  if (!isFamily(family))
    throw unusableModel(path, `belongs to the family ${quoted(family)}, which is not known`);
  const maxTokens = get.uint(KEYS.maxTokens);
  if (maxTokens === 0) throw unusableModel(path, "allows no tokens at all");
  return {
    path,
    family,
    source: get.text(KEYS.source),
    revision: get.text(KEYS.revision),
    maxTokens,
    fileBytes: header.fileBytes,
  };
}

/** Sixty-four hexadecimal digits and nothing else: it becomes a part of a file's name. */
function checksumOf(header: GgufHeader): string | undefined {
  const written = header.metadata.get(CHECKSUM_KEY);
  return written?.kind === "string" && /^[0-9a-f]{64}$/.test(written.value) ? written.value : undefined;
}

function ngramOf(path: string, header: GgufHeader, get: Getter): NgramModel | undefined {
  const weights = header.metadata.get(KEYS.ngramWeights);
  if (weights === undefined) return undefined;
  const ngram: NgramModel = {
    version: get.uint(KEYS.ngramVersion),
    weights: weights.kind === "int8s" ? weights.value : new Int8Array(),
    scale: get.float(KEYS.ngramScale) ?? Number.NaN,
    coefficient: get.float(KEYS.ngramCoefficient) ?? Number.NaN,
  };
  const defect = foreign(get) ?? ngramDefect(ngram);
  if (defect !== undefined) throw unusableModel(path, `has an n-gram model ${defect}`);
  return ngram;
}

function matchingOf(path: string, header: GgufHeader, get: Getter): MatchingModel | undefined {
  const matching = matchingIn(header.metadata);
  const defect = matching && (foreign(get) ?? matchingDefect(matching));
  if (defect !== undefined) throw unusableModel(path, `has a matching part ${defect}`);
  return matching;
}

/** A part that reads text finds the program by the marks of nano's template; other families have other ones. */
function foreign(get: Getter): string | undefined {
  return get.text(KEYS.family) === "nano" ? undefined : "that only the family nano can have";
}

function criteriaOf(path: string, header: GgufHeader): ReadonlyMap<string, string> {
  const value = header.metadata.get(KEYS.criteria);
  if (value?.kind !== "string") return new Map();
  const criteria = parseCriteria(value.value);
  if (criteria === undefined) throw unusableModel(path, "has criteria that are no JSON object of texts");
  return criteria;
}

/** Reads `{"criterion": "wording of its system turn"}`; undefined when the text is anything else. */
export function parseCriteria(text: string): ReadonlyMap<string, string> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const criteria = new Map<string, string>();
  for (const [name, wording] of Object.entries(parsed)) {
    if (typeof wording !== "string") return undefined;
    criteria.set(name, wording);
  }
  return criteria;
}
