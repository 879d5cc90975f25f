/** The setting `codescaler.sources`, entry by entry. Pure. */
import * as z from "zod";
import { HTTP_KINDS, type SourceConfig } from "./create.ts";

const common = {
  id: z.string().min(1),
  label: z.string().min(1).optional(),
  enabled: z.boolean().optional(),
};
const httpEntry = z.object({
  ...common,
  kind: z.enum(HTTP_KINDS),
  url: z.string().min(1),
  model: z.string().default(""),
  modelTokens: z.boolean().optional(),
  automatic: z.boolean().optional(),
});
const editorEntry = z.object({ ...common, kind: z.literal("editor"), model: z.string().default("") });
const builtInEntry = z.object({ ...common, kind: z.literal("built-in"), model: z.string().default("") });
const entry = z.discriminatedUnion("kind", [httpEntry, editorEntry, builtInEntry]);

/** A source as configured: one reached over HTTP, one of the editor's own models, or one that we run ourselves. */
export type ConfiguredSource =
  | { readonly kind: "http"; readonly config: SourceConfig }
  | ({ readonly kind: "editor" } & NamedModel)
  | ({ readonly kind: "built-in" } & NamedModel);

interface NamedModel {
  readonly id: string;
  readonly label: string;
  readonly model: string;
}

export interface ParsedSources {
  readonly sources: readonly ConfiguredSource[];
  /** What is wrong with entries that were left out, for the log. */
  readonly problems: readonly string[];
}

export function parseSources(entries: readonly unknown[]): ParsedSources {
  const sources: ConfiguredSource[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, raw] of entries.entries()) {
    const parsed = entry.safeParse(raw);
    const where = `codescaler.sources[${index}]`;
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      problems.push(`${where}${issue ? ` ${issue.path.join(".")}: ${issue.message}` : " is not usable"}`);
      continue;
    }
    const { data } = parsed;
    if (data.enabled === false) continue;
    if (seen.has(data.id)) {
      problems.push(`${where} has the id "${data.id}" of an earlier entry.`);
      continue;
    }
    seen.add(data.id);
    if (data.kind === "editor") {
      const { id, model } = data;
      const name = model === "" ? "language model" : model;
      sources.push({ kind: "editor", id, label: data.label ?? `Editor: ${name}`, model });
    } else if (data.kind === "built-in") {
      const { id, model } = data;
      const name = model === "" ? "built-in model" : `Built-in: ${model}`;
      sources.push({ kind: "built-in", id, label: data.label ?? name, model });
    } else sources.push({ kind: "http", config: configOf(data) });
  }
  return { sources, problems };
}

function configOf({
  id,
  kind,
  url,
  model,
  label,
  modelTokens,
  automatic,
}: z.infer<typeof httpEntry>): SourceConfig {
  return {
    id,
    kind,
    url,
    model,
    ...(label !== undefined && { label }),
    ...(modelTokens !== undefined && { modelTokens }),
    ...(automatic !== undefined && { automatic }),
  };
}

/** A key belongs to an address, so that no workspace can send it elsewhere under a known id. */
export function keyName(url: string): string {
  return `source:${URL.canParse(url) ? new URL(url).origin : url}`;
}
