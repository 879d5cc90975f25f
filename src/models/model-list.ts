/** The models there are, as `models list --json` says it: installed ones and those that can be pulled. Pure. */
import * as z from "zod";

const installed = z.object({
  id: z.string(),
  installed: z.literal(true),
  kind: z.enum(["reward", "writer"]).default("reward"),
  /** The program that keeps it, where that is another one. */
  found_in: z.string().optional(),
  chat: z.boolean().optional(),
  embedded: z.boolean().default(false),
  type: z.string().optional(),
  bytes: z.number().optional(),
  problem: z.string().optional(),
});

const available = z.object({
  id: z.string(),
  installed: z.literal(false),
  kind: z.enum(["reward", "writer"]).default("reward"),
  licence: z.string(),
  languages: z.union([z.literal("general"), z.array(z.string())]),
  accuracy: z.array(z.object({ benchmark: z.string(), percent: z.number() })).default([]),
  download_bytes: z.number(),
  memory_bytes: z.record(z.string(), z.number()).default({}),
  note: z.string().optional(),
  recommended: z.object({ type: z.string(), reason: z.string() }).optional(),
});

export type InstalledModelEntry = z.infer<typeof installed>;
export type AvailableModel = z.infer<typeof available>;

export interface ModelList {
  readonly installed: readonly InstalledModelEntry[];
  /** The recommended one first. */
  readonly available: readonly AvailableModel[];
}

/** Number format that is pulled when none is recommended: half the size of the original, nearly its rewards. */
export const USUAL_TYPE = "q8_0";

/** What is not understood is left out: a newer command line may say more. */
export function parseModelList(json: unknown): ModelList {
  const entries = Array.isArray(json) ? json : [];
  const there = entries.flatMap((entry) => installed.safeParse(entry).data ?? []);
  const others = entries.flatMap((entry) => available.safeParse(entry).data ?? []);
  return {
    installed: there,
    available: others.sort(
      (a, b) => Number(b.recommended !== undefined) - Number(a.recommended !== undefined),
    ),
  };
}
