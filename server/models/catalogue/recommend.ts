/** Which model of the catalogue suits a machine and a language, and why. Pure. */

import { gigabytes } from "../../../shared/gigabytes.ts";
import type { Language } from "../../../shared/syntax/languages/languages.ts";
import type { FileType } from "../gguf/ggml.ts";
import { accuracyOf, BENCHMARKS, type Benchmark, CATALOGUE, type CatalogueModel } from "./catalogue.ts";
import { memoryBytes, PLANNED_CONTEXT, parameters } from "./needs.ts";

export interface Machine {
  /** Free memory of the device that will run the model. */
  readonly freeBytes: number;
  readonly gpu: boolean;
}

export interface Recommendation {
  readonly model: CatalogueModel;
  readonly type: FileType;
  /** One sentence. */
  readonly reason: string;
}

/**
 * Types worth recommending, best first. q8_0 costs next to nothing in accuracy; q4_0 rounds coarsely, so a smaller
 * model in q8_0 is preferred to a larger one in q4_0.
 */
const TYPES: readonly FileType[] = ["q8_0", "q4_0"];
/** A CPU reads about 90 tokens a second with 1.7B on two cores: larger models keep a user waiting for minutes. */
const CPU_PARAMETERS = 2e9;

/** The best that fits; undefined when none does, which leaves the embedded model. */
export function recommend(machine: Machine, language?: Language): Recommendation | undefined {
  const benchmark = benchmarkFor(language);
  for (const type of TYPES) {
    const fitting = CATALOGUE.filter((model) => suits(model, language) && runs(model, type, machine));
    const [best] = fitting.sort((a, b) => percent(b, benchmark) - percent(a, benchmark));
    if (best !== undefined && accuracyOf(best, benchmark) !== undefined) {
      return { model: best, type, reason: reason(best, type, machine, language, benchmark) };
    }
  }
  return undefined;
}

/**
 * RM-Bench is independent of all families, but has no figures for Themis. CodeRewardBench has them for all families of
 * 1.7B and more, and eight languages; it was made together with Themis. So it decides only where Python models do not
 * compete.
 */
function benchmarkFor(language: Language | undefined): Benchmark {
  return language === undefined || language === "python" ? "rm-bench-code" : "crb-functional";
}

/** Trained on the language; one that nobody trained on gets what was trained on several. */
function suits(model: CatalogueModel, language: Language | undefined): boolean {
  const { languages } = model;
  if (language === undefined || language === "python") return true;
  if (languages === "general") return true;
  const known = CATALOGUE.some((one) => one.languages !== "general" && one.languages.includes(language));
  return known ? languages.includes(language) : languages.length > 1;
}

function runs(model: CatalogueModel, type: FileType, machine: Machine): boolean {
  if (!machine.gpu && parameters(model.architecture, model.shape) > CPU_PARAMETERS) return false;
  return memoryBytes(model, type) <= machine.freeBytes;
}

function percent(model: CatalogueModel, benchmark: Benchmark): number {
  return accuracyOf(model, benchmark)?.percent ?? 0;
}

function reason(
  model: CatalogueModel,
  type: FileType,
  machine: Machine,
  language: Language | undefined,
  benchmark: Benchmark,
): string {
  const place = machine.gpu ? "GPU memory" : "memory";
  const fits =
    `it needs ${gigabytes(memoryBytes(model, type))} as ${type} with ${PLANNED_CONTEXT} tokens of context, ` +
    `and ${gigabytes(machine.freeBytes)} of ${place} is free`;
  const accuracy =
    `of those that fit it has the highest published accuracy on ${BENCHMARKS[benchmark]} ` +
    `(${percent(model, benchmark)} %)`;
  const slow = machine.gpu ? "" : "; without a GPU larger models would take minutes";
  const languages = model.languages;
  const trained =
    language !== undefined && languages !== "general" && languages.includes(language)
      ? `it was trained on ${language}, `
      : "";
  return `${capital(trained + fits)}, and ${accuracy}${slow}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
