/**
 * What a window of the editor has of the reward server, as a process of its own: started by windows.ts, it takes
 * orders as JSON lines on stdin and answers on stdout.
 */
import { createInterface } from "node:readline";
import { ownRuntimeFolder } from "../../shared/sharing/read-lease.ts";
import { createRanker } from "../../src/ranking/ranker.ts";
import { Supervisor } from "../../src/reward-server/supervisor.ts";
import type { Order, WindowSettings } from "./windows.ts";

const settings: WindowSettings = JSON.parse(process.argv[2] ?? "");
const quiet = () => {};
const supervisor = new Supervisor({
  execPath: process.execPath,
  script: settings.script,
  version: settings.version,
  folder: ownRuntimeFolder(),
  log: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  options: () => ({
    url: "",
    engines: settings.engines,
    model: settings.model,
    device: "cpu",
    unloadAfter: 5,
  }),
  ownToken: async () => undefined,
  engineEnvironment: async () => ({}),
});
const rank = createRanker(supervisor, () => settings.model);
const never = new AbortController().signal;
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

supervisor.onDidChange((state) => say({ state }));

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case "join":
      return (await supervisor.endpoint(never)).url;
    case "rank": {
      const candidates = Array.from({ length: order.candidates }, (_, index) => ({
        id: String(index),
        text: `def f${index}(a):\n${`    a += ${index}\n`.repeat(order.lines)}    return a  # ${order.secret}\n`,
      }));
      const reply = await rank({ task: { question: `Count. ${order.secret}` }, candidates }, never);
      return reply.candidates.length;
    }
    case "stop":
      return supervisor.stop();
    case "restart":
      return supervisor.restart();
    case "leave":
      await supervisor.dispose();
      process.exit(0);
      break;
    default:
      return order satisfies never;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, order }: { id: number; order: Order } = JSON.parse(line);
  obey(order).then(
    (value) => say({ id, value }),
    (error: unknown) => say({ id, error: String(error) }),
  );
}
// Whoever gave the orders is gone.
process.exit(0);
