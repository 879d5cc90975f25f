/** A server that one parent or terminal owns: it says on stdout where it is, and ends when its owner wants it to. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ReadyLine, VERSION } from "../../../shared/contract.ts";
import { createRewardServer, type RewardServer, type ServeOptions } from "./create-server.ts";

/** How often it looks whether it is used. */
const TICK_MS = 1000;

/**
 * @param stopped resolves with the reason once it shall end
 * @returns the exit code
 */
export async function runOwned(
  options: ServeOptions & { readonly token: string | undefined },
  stopped: Promise<string>,
): Promise<number> {
  const server = await createRewardServer(options, { token: options.token, defaultModel: false });
  try {
    // Loading first makes "ready" mean that a request will be answered, and a bad model fails here, in words.
    await server.preload();
    const url = await server.listen();
    const ready: ReadyLine = {
      url,
      pid: process.pid,
      version: VERSION,
      model: server.model,
      ...(server.device && { device: server.device }),
      ...(options.token === undefined && { token: server.token }),
    };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    options.log.info({ url, model: server.model }, "ready");
    await server.close(await Promise.race([stopped, unused(server)]));
    return 0;
  } catch (error) {
    server.abandon();
    throw error;
  }
}

/** Resolves when it was not used for long enough to end. */
async function unused({ occupancy, unload }: RewardServer): Promise<string> {
  while (true) {
    await sleep(TICK_MS, undefined, { ref: false });
    const due = occupancy.due();
    if (due === "exit") return "nobody is left";
    if (due === "unload") await unload();
  }
}
