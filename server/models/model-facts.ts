/** From the header of a GGUF to what it says about its model; whatever cannot be true is refused. Pure. */
import { ServiceError } from "../errors.ts";
import { matchingDefect, matchingIn } from "./convert/matching-file.ts";
import { ngramDefect } from "./convert/ngram-file.ts";
import { CHECKSUM_KEY } from "./gguf/format.ts";
import { Getter } from "./gguf/getter.ts";
import { FILE_TYPES, isFileType } from "./gguf/ggml.ts";
import { FORMAT, isFamily, KEYS, type MatchingModel, type NgramModel, TOKEN_TYPE } from "./gguf/keys.ts";
import type { GgufHeader } from "./gguf/read-header.ts";
import { checkStructure, unusableModel } from "./gguf/structure.ts";
import { quoted } from "./gguf/values.ts";
import type { ModelFacts, Origin, RewardModelFile, TokenizerFile } from "./model-file.ts";

/** Longest criteria text and template that are taken: the published ones have a few kilobytes. */
const TEMPLATE_CHARS = 1_000_000;

/**
 * All that a reward model's header says.
 * @throws ServiceError model_unusable when it is no complete reward model of ours
 */
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
    ...tokenizerOf(path, header),
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

/** All that rendering and tokenizing need. The header's vocabulary must have been checked: its tokens are looked up here. */
export function tokenizerOf(path: string, header: GgufHeader): TokenizerFile {
  const get = new Getter(path, header);
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

/** What a list shows. */
export function modelFacts(path: string, header: GgufHeader): ModelFacts {
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
