/** A Hugging Face folder as the converter needs it: everything read and checked except the weights themselves. */
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  asArray,
  asNumber,
  asObject,
  asString,
  type JsonObject,
  readJson,
  readText,
  unusable,
} from "../../files/json-file.ts";
import type { Family, MatchingModel, NgramModel, Vocabulary } from "../gguf/keys.ts";
import { openError } from "../gguf/read-header.ts";
import { parseCriteria } from "../model-facts.ts";
import { type CheckpointConfig, inferFamily, parseConfig } from "./checkpoint-config.ts";
import { readMatching } from "./matching-file.ts";
import { readNgram } from "./ngram-file.ts";
import { parseTokenizer } from "./tokenizer-json.ts";

export interface CheckpointFolder {
  readonly config: CheckpointConfig;
  readonly vocabulary: Vocabulary;
  readonly chatTemplate: string;
  readonly family: Family;
  readonly source: string;
  readonly revision: string;
  readonly calibration: { readonly slope: number; readonly intercept: number } | undefined;
  readonly criteria: Readonly<Record<string, string>> | undefined;
  readonly ngram: NgramModel | undefined;
  readonly matching: MatchingModel | undefined;
}

/**
 * Reads config.json, tokenizer.json, tokenizer_config.json, the chat template and, where present, our own
 * calibration.json (`{"slope", "intercept"}`), criteria.json (criterion → wording of its system turn), ngram.json and
 * matching.json (the linear and the matching part of the reward, ngram-file.ts and matching-file.ts).
 * @throws ServiceError model_unusable
 */
export async function readCheckpointFolder(folder: string): Promise<CheckpointFolder> {
  const stats = await stat(folder).catch((error: unknown) => {
    throw openError(folder, error);
  });
  if (!stats.isDirectory()) throw unusable(folder, "is a file. Give the folder of a downloaded model.");
  const rawConfig = await required(folder, "config.json");
  const config = parseConfig(join(folder, "config.json"), rawConfig);
  const settings = (await readJson(folder, "tokenizer_config.json")) ?? {};
  const tokenizer = await required(folder, "tokenizer.json");
  const vocabulary = parseTokenizer(
    join(folder, "tokenizer.json"),
    tokenizer,
    settings,
    config.shape.vocabulary,
  );
  const origin = originOf(folder, rawConfig);
  const wordings = await criteria(folder);
  return {
    config,
    vocabulary,
    chatTemplate: await chatTemplate(folder, settings),
    family: inferFamily(config.className, {
      names: [origin.source, basename(resolve(folder))],
      hasCriteria: wordings !== undefined,
    }),
    ...origin,
    calibration: await calibration(folder),
    criteria: wordings,
    ngram: await readNgram(folder, "ngram.json"),
    matching: await readMatching(folder, "matching.json"),
  };
}

async function required(folder: string, name: string): Promise<JsonObject> {
  const object = await readJson(folder, name);
  if (object === undefined) {
    throw unusable(folder, `holds no ${name}. Give the folder of a downloaded model, with all its files.`);
  }
  return object;
}

/** Transformers looks in this order; a list of named templates has one called "default". */
async function chatTemplate(folder: string, settings: JsonObject): Promise<string> {
  const file = await readText(folder, "chat_template.jinja");
  if (file !== undefined) return file;
  const json = await readJson(folder, "chat_template.json");
  for (const value of [json?.["chat_template"], settings["chat_template"]]) {
    const named = asArray(value)
      ?.map(asObject)
      .find((entry) => entry?.["name"] === "default");
    const template = asString(value) ?? asString(named?.["template"]);
    if (template !== undefined) return template;
  }
  throw unusable(
    folder,
    "holds no chat template (chat_template.jinja, or in tokenizer_config.json). Download it with the model.",
  );
}

/** Repository and commit as far as the folder shows them: the Hugging Face cache has both in its path. */
function originOf(folder: string, config: JsonObject): { source: string; revision: string } {
  const absolute = resolve(folder);
  const repository = /^models--([^/]+?)--([^/]+)$/.exec(basename(dirname(dirname(absolute))));
  if (repository !== null && basename(dirname(absolute)) === "snapshots") {
    return { source: `${repository[1]}/${repository[2]}`, revision: basename(absolute) };
  }
  const named = asString(config["_name_or_path"]) ?? "";
  const source = /^[\w.-]+\/[\w.-]+$/.test(named) ? named : basename(absolute);
  return { source, revision: "local" };
}

async function calibration(folder: string): Promise<CheckpointFolder["calibration"]> {
  const json = await readJson(folder, "calibration.json");
  if (json === undefined) return undefined;
  const slope = asNumber(json["slope"]);
  const intercept = asNumber(json["intercept"]);
  if (
    slope === undefined ||
    intercept === undefined ||
    !Number.isFinite(slope) ||
    !Number.isFinite(intercept)
  ) {
    throw unusable(join(folder, "calibration.json"), "needs the two numbers slope and intercept.");
  }
  return { slope, intercept };
}

async function criteria(folder: string): Promise<CheckpointFolder["criteria"]> {
  const text = await readText(folder, "criteria.json");
  if (text === undefined) return undefined;
  const parsed = parseCriteria(text);
  if (parsed === undefined) {
    throw unusable(
      join(folder, "criteria.json"),
      "needs one JSON object: criterion name → wording of its system turn.",
    );
  }
  return Object.fromEntries(parsed);
}
