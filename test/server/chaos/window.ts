/**
 * A window of the editor as a process: the extension's own supervisor and ranker. Takes orders as JSON lines on stdin,
 * answers on stdout, and ends with its stdin.
 */
import { createInterface } from "node:readline";
import type { CandidateInput, Task } from "../../../shared/contract.ts";
import { ownRuntimeFolder } from "../../../shared/sharing/read-lease.ts";
import { createRanker } from "../../../src/ranking/ranker.ts";
import { RankError } from "../../../src/ranking/server-client.ts";
import { Supervisor } from "../../../src/reward-server/supervisor.ts";

export interface WindowSettings {
  readonly script: string;
  readonly version: string;
  /** A server of the user's own instead of the shared one; empty: shared. */
  readonly url: string;
  readonly token: string;
}

export type Order =
  | { readonly do: "rank"; readonly task: Task; readonly candidates: readonly CandidateInput[] }
  | { readonly do: "restart" | "stop" | "leave" };

/** What comes back: rewards by candidate, best first; or what went wrong, and how the server seems. */
export type Answer =
  | { readonly rewards: readonly (readonly [id: string, reward: number | null])[] }
  | { readonly code: string; readonly message: string; readonly state: string };

/** Named, because others are installed and removed meanwhile. */
const MODEL = "nano";

const settings: WindowSettings = JSON.parse(process.argv[2] ?? "");
const quiet = () => {};
const supervisor = new Supervisor({
  execPath: process.execPath,
  script: settings.script,
  version: settings.version,
  folder: ownRuntimeFolder(),
  log: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  options: () => ({ url: settings.url, engines: [], model: MODEL, device: "cpu", unloadAfter: 5 }),
  ownToken: async () => settings.token,
  engineEnvironment: async () => ({}),
});
const rank = createRanker(supervisor, () => MODEL);
const never = new AbortController().signal;

async function obey(order: Order): Promise<Answer | undefined> {
  switch (order.do) {
    case "rank": {
      const { candidates } = await rank({ task: order.task, candidates: order.candidates }, never);
      return { rewards: candidates.map(({ id, reward }) => [id, reward]) };
    }
    case "restart":
      await supervisor.restart();
      return undefined;
    case "stop":
      await supervisor.stop();
      return undefined;
    case "leave":
      await supervisor.dispose();
      return process.exit(0);
    default:
      return order satisfies never;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, order }: { id: number; order: Order } = JSON.parse(line);
  obey(order)
    .catch(
      (error: unknown): Answer => ({
        code: error instanceof RankError ? error.code : "fault",
        message: error instanceof Error ? error.message : String(error),
        state: supervisor.state.kind,
      }),
    )
    .then((answer) => process.stdout.write(`${JSON.stringify({ id, answer })}\n`));
}
process.exit(0);
