/** Runs inside the extension host and says what the extension costs there. Started by scripts/measure-editor.mjs. */
import * as vscode from "vscode";
import type { Api } from "../../../src/extension.ts";
import { configure, onlySource, openAt, until } from "../suite/editor.ts";

/** Rounds for medians; a round is one command from request to ghost text. */
const ROUNDS = 25;
const COMPLETIONS = ["a - b", "a + b", "a +", "sum([a, b])"].map((text, index) => ({
  text,
  delayMs: 40 * index,
}));

export async function run(): Promise<void> {
  const say = (name: string, value: number, unit: string) =>
    console.log(`[suite] ${JSON.stringify({ name, value: Math.round(value * 10) / 10, unit })}`);
  const mib = () => process.memoryUsage().rss / 2 ** 20;

  await quiet();
  const before = mib();
  const found = vscode.extensions.getExtension<Api>("codescaler.codescaler");
  if (!found || found.isActive) throw new Error("The extension has to be there and not be active yet.");
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  const api = await found.activate();
  say("activation, with loading the code", performance.now() - started, "ms");
  // On a machine that does other things too, this says more.
  const { user, system } = process.cpuUsage(cpuBefore);
  say("activation, processor time of the whole extension host", (user + system) / 1000, "ms");
  say("memory of the extension host after activation, more than before", mib() - before, "MiB");

  const replay = await onlySource({ vendor: "openai", completions: COMPLETIONS });
  const waits: number[] = [];
  const overheads: number[] = [];
  const scorings: number[] = [];
  try {
    await configure({ candidates: COMPLETIONS.length });
    const editor = await openAt(
      "add.py",
      'def add(a, b):\n    """Returns the sum of a and b."""\n    return █\n',
    );
    for (let round = 0; round <= ROUNDS; round++) {
      // Another text each time: nothing may be answered from what was scored before.
      await editor.edit((edit) =>
        edit.replace(
          new vscode.Range(1, 4, 1, editor.document.lineAt(1).text.length),
          `"""Sum of a and b, round ${round}."""`,
        ),
      );
      const cursor = new vscode.Position(2, 11);
      editor.selection = new vscode.Selection(cursor, cursor);
      await vscode.commands.executeCommand("codescaler.suggest");
      const trace = await until("ghost text", () => {
        const last = api.traces.traces.findLast(({ trigger }) => trigger === "command");
        return last?.steps.some(({ event }) => event.kind === "shown") ? last : undefined;
      });
      const arrived = trace.steps.findLast(({ event }) => event.kind === "arrived")?.at ?? 0;
      const shown = trace.steps.find(({ event }) => event.kind === "shown")?.at ?? 0;
      const last = trace.steps.findLast(({ event }) => event.kind === "ranked");
      const ranked = last?.event;
      await vscode.commands.executeCommand("editor.action.inlineSuggest.hide");
      // The first round starts the server and loads the parser.
      if (round === 0) continue;
      waits.push(shown - arrived);
      if (last && ranked?.kind === "ranked") {
        scorings.push(ranked.ms);
        overheads.push(shown - last.at);
      }
    }
    say("last candidate to ghost text, median", median(waits), "ms");
    say("of it from the last answer of the reward server on, median", median(overheads), "ms");
    say("of it the last request to the reward server, median", median(scorings), "ms");
    say(`memory of the extension host after ${ROUNDS} rankings, more than before`, mib() - before, "MiB");
  } finally {
    await configure({ sources: undefined, candidates: undefined });
    await replay.close();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Resolves when the extension host has done nothing for two seconds: the editor's own extensions start at first. */
async function quiet(): Promise<void> {
  for (let still = 0; still < 40; ) {
    const asked = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
    still = performance.now() - asked < 55 ? still + 1 : 0;
  }
}
