/** `codescaler models list`: what is installed, what can be pulled, and what suits this machine. */

import { gigabytes } from "../../../shared/gigabytes.ts";
import { LANGUAGES, languageOf } from "../../../shared/syntax/languages/languages.ts";
import { type FreeGpus, freeGpus } from "../../engine/llama/open-build.ts";
import { freeMemory } from "../../engine/memory.ts";
import { modelSizes, planPlacement } from "../../engine/placement.ts";
import { mediaFolder } from "../../files/package-files.ts";
import {
  accuracyOf,
  type Benchmark,
  CATALOGUE,
  type CatalogueModel,
  languagesOf,
} from "../../models/catalogue/catalogue.ts";
import { downloadBytes, memoryBytes, PLANNED_CONTEXT } from "../../models/catalogue/needs.ts";
import { type Recommendation, recommend } from "../../models/catalogue/recommend.ts";
import { recommendWriter, WRITERS } from "../../models/catalogue/writers.ts";
import { FILE_TYPES } from "../../models/gguf/ggml.ts";
import { type UnfinishedDownload, unfinishedDownloads } from "../../models/hub/staging.ts";
import { readRewardModel } from "../../models/read-model.ts";
import { type ListedModel, openStore } from "../../models/store.ts";
import { listTokenizers } from "../../models/tokenizer-file.ts";
import { readArgs, UsageError } from "../arguments.ts";
import { formatTable } from "../table.ts";
import {
  describedLanguage,
  describeFound,
  describeWriters,
  foundEntry,
  writerEntry,
} from "./list-writers.ts";
import { described, print, requireNoMore } from "./output.ts";

export const usage = `Usage: codescaler models list [--language L] [--json]

Shows the installed models, those that other programs keep on this disk, those that can be pulled, and what suits this
machine's free memory, and why. A reward model judges. A writer writes completions, and judges by their likelihood.

  --language L     the language you write: ${LANGUAGES.join(", ")}`;

/** The type that models are pulled in unless another is asked for. */
const USUAL_TYPE = "q8_0";

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    language: { type: "string" },
    json: { type: "boolean", default: false },
  });
  requireNoMore(positionals);
  const language = values.language === undefined ? undefined : languageOf(values.language);
  if (values.language !== undefined && language === undefined) {
    throw new UsageError(`--language must be ${LANGUAGES.join(", ")}, not "${values.language}".`);
  }
  const store = openStore(mediaFolder);
  const [installed, found, unfinished, tokenizers, gpu] = await Promise.all([
    store.list(),
    store.found(),
    unfinishedDownloads(store.folder),
    listTokenizers(store.folder),
    freeGpus(),
  ]);
  const gpuBytes = gpu?.gpus.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
  const free = gpuBytes ?? freeMemory();
  const best = recommend({ freeBytes: free, gpu: gpu !== undefined }, language);
  const writer = recommendWriter(free, gpu !== undefined);
  const writers = WRITERS.filter(({ id }) => !installed.some((model) => model.id === id));
  const others = CATALOGUE.filter(({ id }) => !installed.some((model) => model.id === id));
  const shares = gpu === undefined ? undefined : await sharesOf(installed, others, gpu);
  print(
    values.json,
    [
      ...installed.map((model) => ({ ...listed(model, best), ...shares?.get(model.id) })),
      ...found.map(foundEntry),
      ...others.map((model) => ({ ...offered(model, best, unfinished), ...shares?.get(model.id) })),
      ...writers.map((model) => writerEntry(model, writer, unfinished)),
    ],
    [
      describeInstalled(installed, shares),
      ...(found.length > 0 ? [describeFound(found)] : []),
      describeOffered(others, unfinished, shares),
      advice(best, installed),
      describeWriters(writers, writer),
      ...unfinished.map(describeUnfinished),
      ...(tokenizers.length > 0 ? [`Tokenizers for remote engines: ${tokenizers.join(", ")}.`] : []),
    ].join("\n\n"),
  );
  return 0;
}

/** Layers that would go to the GPU with the memory that is free now, by the name of the model. */
type Shares = ReadonlyMap<string, { readonly layers: number; readonly gpu_layers: number }>;

async function sharesOf(
  installed: readonly ListedModel[],
  others: readonly CatalogueModel[],
  { gpus }: FreeGpus,
): Promise<Shares> {
  const shares = new Map<string, { layers: number; gpu_layers: number }>();
  const add = (id: string, model: Parameters<typeof modelSizes>[0]): void => {
    const placement = planPlacement(modelSizes(model), gpus, { insist: false });
    shares.set(id, { layers: model.shape.layers, gpu_layers: placement?.gpuLayers ?? 0 });
  };
  for (const { id, path, facts } of installed) {
    if (facts?.kind === "reward") add(id, await readRewardModel(path));
  }
  // The published models read 4,096 tokens, for which memory is planned with twice as many.
  for (const model of others) add(model.id, { ...model, type: USUAL_TYPE, maxTokens: PLANNED_CONTEXT / 2 });
  return shares;
}

/** "all", "20 of 36 layers" or "none". */
function shareOf(id: string, shares: Shares): string {
  const share = shares.get(id);
  if (share === undefined) return "";
  const { layers, gpu_layers: onGpu } = share;
  return onGpu === layers ? "all" : onGpu === 0 ? "none" : `${onGpu} of ${layers} layers`;
}

function listed({ id, path, embedded, facts, problem }: ListedModel, best: Recommendation | undefined) {
  return {
    id,
    installed: true,
    path,
    embedded,
    ...(facts?.kind === "reward" && described(facts)),
    ...(facts?.kind === "language" && describedLanguage(facts)),
    ...(problem !== undefined && { problem }),
    ...recommendation(id, best),
  };
}

function offered(
  model: CatalogueModel,
  best: Recommendation | undefined,
  unfinished: readonly UnfinishedDownload[],
) {
  const download = unfinished.find(({ repository }) => repository === model.repository);
  return {
    id: model.id,
    installed: false,
    kind: "reward",
    repository: model.repository,
    family: model.family,
    licence: model.licence,
    languages: model.languages,
    accuracy: model.accuracy,
    download_bytes: downloadBytes(model),
    memory_bytes: Object.fromEntries(FILE_TYPES.map((type) => [type, memoryBytes(model, type)])),
    context_tokens: PLANNED_CONTEXT,
    ...(model.note !== undefined && { note: model.note }),
    ...(download && { unfinished_bytes: download.bytes }),
    ...recommendation(model.id, best),
  };
}

function recommendation(id: string, best: Recommendation | undefined) {
  return best?.model.id === id ? { recommended: { type: best.type, reason: best.reason } } : {};
}

function describeInstalled(models: readonly ListedModel[], shares: Shares | undefined): string {
  if (models.length === 0) return "No model is installed.";
  return `Installed\n${formatTable(
    ["model", "family", "type", "size", "max tokens", ...(shares ? ["on the GPU"] : []), "source"],
    models.map(({ id, facts, problem }) => {
      if (facts === undefined) return [id, "unusable", "", "", "", ...(shares ? [""] : []), problem ?? ""];
      const language = facts.kind === "language";
      return [
        id,
        language ? "writer" : facts.family,
        facts.type,
        gigabytes(facts.fileBytes),
        String(facts.maxTokens),
        ...(shares ? [shareOf(id, shares)] : []),
        language ? facts.name : `${facts.source} (${facts.revision})`,
      ];
    }),
  )}`;
}

function describeOffered(
  models: readonly CatalogueModel[],
  unfinished: readonly UnfinishedDownload[],
  shares: Shares | undefined,
): string {
  const percent = (model: CatalogueModel, benchmark: Benchmark): string =>
    accuracyOf(model, benchmark)?.percent.toFixed(1) ?? "–";
  const begun = (model: CatalogueModel): string =>
    unfinished.some(({ repository }) => repository === model.repository) ? " (begun)" : "";
  const table = formatTable(
    [
      "model",
      "download",
      "memory q8_0",
      "q4_0",
      ...(shares ? ["q8_0 on the GPU"] : []),
      "languages",
      "RM-Bench code",
      "CodeRewardBench",
      "licence",
    ],
    models.map((model) => [
      model.id,
      gigabytes(downloadBytes(model)) + begun(model),
      gigabytes(memoryBytes(model, "q8_0")),
      gigabytes(memoryBytes(model, "q4_0")),
      ...(shares ? [shareOf(model.id, shares)] : []),
      languagesOf(model),
      percent(model, "rm-bench-code"),
      percent(model, "crb-functional"),
      model.licence,
    ]),
  );
  return (
    `Can be pulled\n${table}\n` +
    `Memory: with ${PLANNED_CONTEXT} tokens of context. Accuracy: as published, in per cent ` +
    "(RM-Bench, code; CodeRewardBench, functional correctness)."
  );
}

function advice(best: Recommendation | undefined, installed: readonly ListedModel[]): string {
  if (best === undefined)
    return "None of them fits into the memory that is free; the embedded nano always works.";
  const { model, type, reason } = best;
  const here = installed.some(({ id }) => id === model.id);
  const command = here ? "which is installed" : `codescaler models pull ${model.id} --type ${type}`;
  return `Recommended: ${model.id} as ${type} (${command}). ${reason}${model.note === undefined ? "" : ` ${model.note}`}`;
}

function describeUnfinished({ repository, bytes }: UnfinishedDownload): string {
  return `The download of ${repository} is not finished (${gigabytes(bytes)}): pull it again to continue, or remove it.`;
}
