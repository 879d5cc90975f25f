/** What the compare panel and the extension host say to each other. Both sides' input is checked by these schemas. */
import * as z from "zod";

/** How a piece of code is coloured. */
export const TOKEN_CLASSES = [
  "",
  "context",
  "keyword",
  "string",
  "number",
  "comment",
  "type",
  "function",
] as const;
export type TokenClass = (typeof TOKEN_CLASSES)[number];

const token = z.tuple([z.string(), z.enum(TOKEN_CLASSES)]);
export type CodeToken = z.infer<typeof token>;

/** A line of code with what became of it since the best candidate. */
const codeLine = z.object({
  change: z.enum(["same", "added", "removed"]),
  tokens: z.array(token),
  /** The tokens in which it differs from the line that it replaces: from the first index up to the second. */
  changed: z.tuple([z.number(), z.number()]).nullable(),
});
export type CodeLine = z.infer<typeof codeLine>;

const row = z.object({
  candidate: z.string(),
  rank: z.number(),
  valid: z.boolean(),
  /** "3 of 8 samples" */
  headline: z.string(),
  /** Marks such as "shown first", "accepted". */
  marks: z.array(z.string()),
  /** Length of the bar, 0 to 1, and what it says; null where nothing was scored. */
  bar: z.object({ value: z.number().min(0).max(1), text: z.string() }).nullable(),
  /** Reason of an invalid one, samples that agreed, sources, tokens. */
  facts: z.array(z.string()),
  code: z.array(codeLine),
  /** Against the best one; empty for the best itself. */
  differences: z.array(codeLine),
});
export type Row = z.infer<typeof row>;

export const PANEL_ACTIONS = ["insert", "copy", "diff"] as const;
export type PanelAction = (typeof PANEL_ACTIONS)[number];

/** Everything that the panel shows; also what it keeps for a reload of the window. */
export const panelView = z.object({
  rankingId: z.string(),
  heading: z.string(),
  about: z.string(),
  problems: z.array(z.string()),
  rows: z.array(row).max(1024),
  /** What can be done with a candidate: nothing with one of an earlier session. */
  actions: z.array(z.enum(PANEL_ACTIONS)),
});
export type PanelView = z.infer<typeof panelView>;

/** From the panel. */
export const panelMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({
    type: z.enum(PANEL_ACTIONS),
    rankingId: z.string().max(64),
    candidate: z.string().max(1024),
  }),
]);

/** To the panel. */
export type HostMessage =
  | { readonly type: "view"; readonly view: PanelView }
  /** Something for the status line, which screen readers announce. */
  | { readonly type: "said"; readonly text: string };
