/** Code models in `codescaler models list`: those of other programs on this disk, and those that can be pulled. */
import { gigabytes } from "../../../shared/gigabytes.ts";
import {
  PLANNED_WRITER_CONTEXT,
  type WriterModel,
  writerMemoryBytes,
} from "../../models/catalogue/writers.ts";
import type { UnfinishedDownload } from "../../models/hub/staging.ts";
import type { LanguageFacts } from "../../models/language-model.ts";
import { type FoundModel, MANAGERS } from "../../models/local/found.ts";
import { formatTable } from "../table.ts";

/** An installed writer in the JSON document. */
export function describedLanguage({ path, name, type, fileBytes, maxTokens, chat }: LanguageFacts) {
  return { kind: "writer", path, name, type, max_tokens: maxTokens, bytes: fileBytes, chat };
}

export function foundEntry({ id, path, manager, bytes }: FoundModel) {
  return { id, installed: true, kind: "writer", found_in: MANAGERS[manager], path, bytes };
}

export function writerEntry(
  model: WriterModel,
  recommended: WriterModel | undefined,
  unfinished: readonly UnfinishedDownload[],
) {
  const begun = unfinished.find(({ repository }) => repository === model.repository);
  return {
    id: model.id,
    installed: false,
    kind: "writer",
    repository: model.repository,
    file: model.file,
    licence: model.licence,
    chat: model.chat,
    figures: model.figures,
    download_bytes: model.bytes,
    memory_bytes: { [typeOf(model)]: writerMemoryBytes(model) },
    context_tokens: PLANNED_WRITER_CONTEXT,
    languages: "general",
    ...(model.note !== undefined && { note: model.note }),
    ...(begun && { unfinished_bytes: begun.bytes }),
    ...(model === recommended && { recommended: { type: typeOf(model), reason: reasonOf(model) } }),
  };
}

export function describeFound(found: readonly FoundModel[]): string {
  const table = formatTable(
    ["model", "size", "kept by"],
    found.map(({ id, bytes, manager }) => [id, gigabytes(bytes), MANAGERS[manager]]),
  );
  return `Found on this disk\n${table}\nThey are used where they are. Whether one can be used shows when it is loaded.`;
}

export function describeWriters(
  writers: readonly WriterModel[],
  recommended: WriterModel | undefined,
): string {
  if (writers.length === 0) return "All writers of the catalogue are installed.";
  const percent = (model: WriterModel, benchmark: string): string =>
    model.figures.find((figure) => figure.benchmark === benchmark)?.percent.toFixed(1) ?? "–";
  const table = formatTable(
    ["writer", "download", "memory", "answers questions", "HumanEval", "MBPP", "licence"],
    writers.map((model) => [
      model.id,
      gigabytes(model.bytes),
      gigabytes(writerMemoryBytes(model)),
      model.chat ? "yes" : "no",
      percent(model, "HumanEval"),
      percent(model, "MBPP"),
      model.licence,
    ]),
  );
  const advice =
    recommended === undefined
      ? "None of them fits into the memory that is free."
      : `Recommended: ${recommended.id} (codescaler models pull ${recommended.id}). ${reasonOf(recommended)}`;
  return `Writers that can be pulled\n${table}\nMemory: as writer and judge in one, weights once.\n\n${advice}`;
}

function typeOf(model: WriterModel): string {
  return model.chat ? "q4_k_m" : "q8_0";
}

function reasonOf(model: WriterModel): string {
  return `It is the largest that fits: it needs ${gigabytes(writerMemoryBytes(model))} of memory as writer and judge.`;
}
