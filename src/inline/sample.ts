/** A first look without any source: candidates that were written down, ranked by the real reward model. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import { cursorAt } from "../editor/documents.ts";
import type { Arrival } from "../sources/gather.ts";
import { type RunParts, startRun } from "./start-run.ts";
import { present } from "./suggest.ts";
import type { TraceLog } from "./trace/trace.ts";

const HEAD = `def running_mean(values: list[float], size: int) -> list[float]:
    """Mean of every window of \`size\` neighbouring values, from left to right.

    >>> running_mean([1, 2, 3, 4], 2)
    [1.5, 2.5, 3.5]
    """
    `;

/** As small models write them: wrong, right, right in other words, and broken off. */
const RECORDED: readonly string[] = [
  "return [sum(values[i:i + size]) / size for i in range(len(values))]",
  "return [sum(values[i:size]) / size for i in range(len(values) - size)]",
  "means = []\n    for start in range(len(values) - size + 1):\n        window = values[start:start + size]\n        means.append(sum(window) / size)\n    return means",
  "return [sum(values[i:i + size]) / size for i in range(len(values) - size + 1)]",
  "return [sum(values[i:i + size] / size for i in",
  "return [\n        sum(values[i:i + size]) / size\n        for i in range(len(values) - size + 1)\n    ]",
];

/** Long enough to see that candidates come one after another. */
const PACE_MS = 150;

export interface SampleDependencies extends RunParts {
  readonly configuration: Configuration;
  readonly traces: TraceLog;
}

/** Opens the sample in a document of its own, ranks, and shows the best as ghost text. */
export async function trySample(deps: SampleDependencies): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ language: "python", content: `${HEAD}\n` });
  const editor = await vscode.window.showTextDocument(document);
  const position = document.positionAt(HEAD.length);
  editor.selection = new vscode.Selection(position, position);
  const cursor = cursorAt(document, position);
  if (!cursor) return;
  const tracer = deps.traces.start("command", vscode.l10n.t("sample"), position.line);
  tracer.add({ kind: "asked", sources: [label()], count: RECORDED.length });
  await present(deps, startRun(deps, cursor, recorded, tracer), editor);
}

async function* recorded(signal: AbortSignal): AsyncGenerator<Arrival> {
  const source = { id: "recorded", label: label() };
  for (const text of RECORDED) {
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    if (signal.aborted) return;
    const completion = { text, complete: true, tokens: undefined };
    yield { kind: "completion", source, completion };
  }
}

function label(): string {
  return vscode.l10n.t("Recorded sample (no model was asked)");
}
