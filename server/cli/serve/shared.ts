/** The one server of all windows of a user: they find it by its lease, and it ends when it lost that or nobody is left. */
import { VERSION } from "../../../shared/contract.ts";
import { type Lease, leaseFolder } from "../../../shared/sharing/lease.ts";
import { ownRuntimeFolder } from "../../../shared/sharing/read-lease.ts";
import { Hung } from "../../devices/gpu-guard.ts";
import { EngineFailure } from "../../remote/engine-failure.ts";
import { makePrivate } from "../../sharing/lease-holder.ts";
import { SharedServer } from "../../sharing/shared-server.ts";
import { createRewardServer, type ServeOptions } from "./create-server.ts";

interface SharedOptions extends ServeOptions {
  /** Addresses of remote engines: a server is shared only by windows with the same ones. */
  readonly engines: readonly string[];
  /** Process of a server that is to be replaced although it is good. */
  readonly replaces: number | undefined;
}

/**
 * @param stopped resolves with the reason once it shall end now
 * @returns the exit code
 */
export async function runShared(options: SharedOptions, stopped: Promise<string>): Promise<number> {
  let lease: Lease | undefined;
  let room = Promise.resolve();
  const server = await createRewardServer(options, {
    // Windows name the model they want: what was first wanted by one is no other's default.
    defaultModel: true,
    proven: () => lease,
    room: () => room,
  });
  const { occupancy, unload, token } = server;
  try {
    const folder = leaseFolder(ownRuntimeFolder(), options.engines);
    await makePrivate(folder);
    // Challenges are answered from the first moment; requests wait for the model.
    const address = new URL(await server.listen());
    lease = {
      version: VERSION,
      pid: process.pid,
      port: Number(address.port),
      token,
      device: options.engine.device,
    };
    const { replaces, log } = options;
    const shared = new SharedServer({ folder, lease, replaces, occupancy, log, unload });
    const claimed = await shared.claim();
    if (!claimed) {
      await server.close("not needed");
      return 0;
    }
    room = claimed.room;
    log.info({ url: address.origin, model: server.model }, "ready");
    const failed = server.preload().then(
      () => undefined,
      (error: unknown) => (mayPass(error) ? undefined : error),
    );
    const ended = shared.end(stopped);
    const problem = await Promise.race([failed, ended.then(() => undefined)]);
    if (problem !== undefined) {
      await shared.giveUp(problem);
      throw problem;
    }
    await server.close(await ended);
    return 0;
  } catch (error) {
    server.abandon();
    throw error;
  }
}

/**
 * Engines elsewhere may be away for a while: whoever asks next tries them again. A GPU that does not answer ends this
 * process, and the next one leaves it alone: for the windows that is a crash, not a refusal.
 */
function mayPass(error: unknown): boolean {
  return (error instanceof EngineFailure && error.passes) || error instanceof Hung;
}
