/** The published reward models that can be pulled by name. Data only; sizes follow from the shapes (needs.ts). */
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";
import type { Architecture, Shape } from "../convert/architectures.ts";
import type { Family } from "../gguf/keys.ts";
import { QWEN3_SHAPES } from "./qwen3.ts";

export interface CatalogueModel {
  /** Name under which it is pulled and asked for. */
  readonly id: string;
  /** Repository on the Hugging Face Hub. */
  readonly repository: string;
  readonly family: Family;
  readonly licence: string;
  readonly architecture: Architecture;
  readonly shape: Shape;
  /** How the repository holds the weights. */
  readonly weights: {
    readonly type: "bf16" | "f32";
    /** The language-model head is stored too, although a reward model does not need it. */
    readonly languageHead: boolean;
  };
  /** Programming languages its preferences were about; `general`: not chosen by programming language. */
  readonly languages: readonly Language[] | "general";
  readonly accuracy: readonly Accuracy[];
  /** What a user should know before choosing it. */
  readonly note?: string;
}

/** A published figure: share of pairs in which the right program gets the higher reward, in per cent. */
export interface Accuracy {
  readonly benchmark: Benchmark;
  readonly percent: number;
  readonly source: string;
}

export const BENCHMARKS = {
  "rm-bench-code": "RM-Bench, code domain",
  "crb-functional": "CodeRewardBench, functional correctness",
} as const;
export type Benchmark = keyof typeof BENCHMARKS;

const SOURCES = {
  codescaler: "https://arxiv.org/abs/2602.17684",
  acecode: "https://huggingface.co/TIGER-Lab/AceCodeRM-7B",
  themis: "https://github.com/iNeil77/Themis/tree/main/Evaluation/Evaluation_Runs",
} as const;

function rmBench(percent: number, source: string): Accuracy {
  return { benchmark: "rm-bench-code", percent, source };
}

function functional(percent: number): Accuracy {
  return { benchmark: "crb-functional", percent, source: SOURCES.themis };
}

const QWEN25 = {
  headDim: 128,
  vocabulary: 152_064,
  maxPositions: 32_768,
  ropeTheta: 1_000_000,
  normEpsilon: 1e-6,
} as const;

const BF16 = { type: "bf16", languageHead: false } as const;

/** The eight languages of Themis-CodePreference. */
const THEMIS_LANGUAGES: readonly Language[] = [
  "c",
  "csharp",
  "cpp",
  "go",
  "java",
  "javascript",
  "python",
  "ruby",
];

function codescaler(size: "1.7b" | "4b" | "8b", accuracy: readonly Accuracy[]): CatalogueModel {
  return {
    id: `codescaler-${size}`,
    repository: `LARK-Lab/CodeScaler-${size.toUpperCase()}`,
    family: "codescaler",
    licence: "MIT",
    architecture: "qwen3",
    shape: QWEN3_SHAPES[size],
    weights: BF16,
    languages: ["python"],
    accuracy,
  };
}

function skywork(size: "0.6b" | "1.7b" | "4b" | "8b", accuracy: readonly Accuracy[]): CatalogueModel {
  return {
    id: `skywork-v2-qwen3-${size}`,
    repository: `Skywork/Skywork-Reward-V2-Qwen3-${size.toUpperCase()}`,
    family: "skywork-qwen3",
    licence: "Apache-2.0",
    architecture: "qwen3",
    shape: QWEN3_SHAPES[size],
    weights: BF16,
    languages: "general",
    accuracy,
  };
}

function themis(size: keyof typeof QWEN3_SHAPES, percent: number): CatalogueModel {
  return {
    id: `themis-${size}`,
    repository: `project-themis/Themis-RM-${size.toUpperCase()}`,
    family: "themis",
    licence: "Apache-2.0",
    architecture: "qwen3",
    shape: QWEN3_SHAPES[size],
    weights: BF16,
    languages: THEMIS_LANGUAGES,
    accuracy: [functional(percent)],
    note: "Published with a system turn that names the criterion; pulled as it is, it judges general quality.",
  };
}

export const CATALOGUE: readonly CatalogueModel[] = [
  codescaler("1.7b", [rmBench(73.1, SOURCES.codescaler), functional(80.9)]),
  codescaler("4b", [rmBench(76.3, SOURCES.codescaler), functional(85.6)]),
  codescaler("8b", [rmBench(76.9, SOURCES.codescaler), functional(87.4)]),
  skywork("0.6b", []),
  skywork("1.7b", [rmBench(72.3, SOURCES.codescaler), functional(82.4)]),
  skywork("4b", [rmBench(74.4, SOURCES.codescaler), functional(86.4)]),
  skywork("8b", [rmBench(73.6, SOURCES.codescaler), functional(87.3)]),
  {
    id: "skywork-llama-3.1-8b",
    repository: "Skywork/Skywork-Reward-Llama-3.1-8B",
    family: "skywork-llama",
    licence: "Skywork Community License",
    architecture: "llama",
    shape: {
      layers: 32,
      hidden: 4096,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      feedForward: 14_336,
      vocabulary: 128_257,
      maxPositions: 131_072,
      ropeTheta: 500_000,
      normEpsilon: 1e-5,
    },
    weights: BF16,
    languages: "general",
    accuracy: [rmBench(54.5, SOURCES.acecode)],
  },
  {
    id: "acecoderm-7b",
    repository: "TIGER-Lab/AceCodeRM-7B",
    family: "acecode",
    licence: "MIT",
    architecture: "qwen2",
    shape: { ...QWEN25, layers: 28, hidden: 3584, heads: 28, kvHeads: 4, feedForward: 18_944 },
    weights: { type: "f32", languageHead: true },
    languages: ["python"],
    accuracy: [rmBench(66.9, SOURCES.acecode), functional(82.5)],
  },
  {
    id: "acecoderm-32b",
    repository: "TIGER-Lab/AceCodeRM-32B",
    family: "acecode",
    licence: "MIT",
    architecture: "qwen2",
    shape: { ...QWEN25, layers: 64, hidden: 5120, heads: 40, kvHeads: 8, feedForward: 27_648 },
    weights: { type: "f32", languageHead: true },
    languages: ["python"],
    accuracy: [rmBench(72.1, SOURCES.acecode), functional(73.7)],
  },
  themis("0.6b", 76.8),
  themis("1.7b", 84.2),
  themis("4b", 89.7),
  themis("8b", 91.8),
  themis("14b", 92.7),
  themis("32b", 94.3),
];

/** The model of this name; a repository's name means it too. */
export function catalogueModel(name: string): CatalogueModel | undefined {
  const wanted = name.toLowerCase();
  return CATALOGUE.find(({ id, repository }) => id === wanted || repository.toLowerCase() === wanted);
}

export function accuracyOf(model: CatalogueModel, benchmark: Benchmark): Accuracy | undefined {
  return model.accuracy.find((one) => one.benchmark === benchmark);
}

/** Names of the languages for a table; short where there are many. */
export function languagesOf(model: CatalogueModel): string {
  if (model.languages === "general") return "general";
  return model.languages.length > 2
    ? `${model.languages.length} of ${LANGUAGES.length}`
    : model.languages.join(", ");
}
