/** What chat models are told: write the code that belongs at the cursor, and nothing else. Pure. */
import { identityOf } from "../../../shared/syntax/languages/languages.ts";
import type { CompletionRequest } from "../source.ts";

export interface ChatMessage {
  readonly role: "system" | "user";
  readonly content: string;
}

/**
 * The conversation for a completion at a cursor. A fenced block is asked for because it keeps the spaces at
 * the start of the first line; the extraction also takes answers without one.
 */
export function chatMessages(request: CompletionRequest): readonly ChatMessage[] {
  const { prefix, suffix } = request;
  const marker = unused("<CURSOR>", prefix + suffix);
  const language = identityOf(request.language).name;
  const system = [
    `You complete ${language} code in an editor.`,
    `The file contains the marker ${marker} once. Write the code that replaces the marker.`,
    "Answer with one fenced code block that holds exactly this code and nothing else:",
    "no explanation, nothing that already stands before or after the marker, no marker.",
    "Keep the file's indentation and style. Stop where the innermost unfinished function or statement ends.",
  ].join("\n");
  const user = [
    ...(request.path === "" ? [] : [`File: ${request.path}`]),
    fenced(`${prefix}${marker}${suffix}`, request.language),
  ].join("\n\n");
  return [
    { role: "system", content: system },
    { role: "user", content: user },
  ];
}

/** A fenced block that its content cannot end. */
function fenced(code: string, info: string): string {
  let fence = "```";
  while (code.includes(fence)) fence += "`";
  return `${fence}${info}\n${code}\n${fence}`;
}

/** The marker, or a variant of it that does not occur in the code. */
function unused(marker: string, code: string): string {
  let variant = marker;
  for (let number = 2; code.includes(variant); number++) variant = marker.replace(">", `_${number}>`);
  return variant;
}
