/** Finding the server that all windows share, or starting it, and being counted there. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Presence } from "../../shared/contract.ts";
import { decide, type Lease, leaseUrl } from "../../shared/sharing/lease.ts";
import { ProvenAgent, proves } from "../../shared/sharing/proven-agent.ts";
import { readLease } from "../../shared/sharing/read-lease.ts";
import { reasonOf } from "../base/log.ts";
import { RankError, type ServerEndpoint } from "../ranking/server-client.ts";
import { HINTS, type Hint, hintFor } from "./death-hints.ts";
import { attend } from "./presence.ts";
import { deathOf, readServerLog } from "./server-log.ts";
import { type Exit, type ServerCommand, type ServerProcess, startServer } from "./server-process.ts";

/** From the start of a process to its lease takes a second, on a busy machine ten; the model is loaded after that. */
const LEASE_TIMEOUT_MS = 60_000;
const LEASE_POLL_MS = 50;

/** A server that this window has joined. */
export interface JoinedServer {
  readonly lease: Lease;
  readonly endpoint: ServerEndpoint;
  /** No longer counted there, and told nothing more. Running requests go on. */
  leave(): void;
  /** Breaks all connections. */
  destroy(): void;
}

export interface JoinedServerEvents {
  onPresence(session: JoinedServer, presence: Presence): void;
  /** The connection ended without a word: the server died. */
  onEnd(session: JoinedServer): void;
}

export interface JoinOptions {
  readonly command: ServerCommand;
  /** Version of this extension, and of the server that it starts. */
  readonly version: string;
  /** Process of a server that is to be replaced although it is good. */
  readonly replaces: number | undefined;
  readonly signal: AbortSignal;
  readonly events: JoinedServerEvents;
  onStart(process: ServerProcess): void;
}

/** No server came to be. */
export class StartError extends RankError {
  override readonly name = "StartError";
  /** How the process ended; undefined where there was none, or it hung. */
  readonly exit: Exit | undefined;

  constructor(message: string, hint?: Hint, exit?: Exit) {
    super("unreachable", message, { hint });
    this.exit = exit;
  }
}

/**
 * Joins the server of the lease; starts one where there is none, or none that will do.
 * @throws StartError, and the signal's reason
 */
export async function joinOrStart(options: JoinOptions): Promise<JoinedServer> {
  const { command, version, replaces, signal, events } = options;
  const started = performance.now();
  let process: ServerProcess | undefined;
  /** The token of a lease whose server did not prove itself. */
  let silent: string | undefined;
  while (performance.now() - started < LEASE_TIMEOUT_MS) {
    const lease = await readLease(command.folder);
    // What was silent once is not waited for again: the server that was started replaces it.
    const proved = lease !== undefined && lease.token !== silent && (await proves(lease));
    if (lease && !proved) silent = lease.token;
    signal.throwIfAborted();
    if (lease && decide(lease, proved, { version, replaces }) === "join") {
      const session = await joinServer(lease, events);
      if (session) return session;
    }
    const exit = process?.exit();
    if (!process) {
      process = await start(command);
      options.onStart(process);
    } else if (exit?.code === 0) {
      // It found another server, which is to be found here too.
      process = undefined;
      silent = undefined;
    } else if (exit) {
      const { message, hint } = deathOf(exit, await readServerLog(command.folder));
      throw new StartError(message, hint, exit);
    }
    await sleep(LEASE_POLL_MS);
  }
  process?.kill();
  throw new StartError(
    `The reward server was not there after ${LEASE_TIMEOUT_MS / 1000} s. Restart it; its last output says more.`,
  );
}

async function start(command: ServerCommand): Promise<ServerProcess> {
  try {
    return await startServer(command);
  } catch (error) {
    // Its folder cannot be used: another try would end the same way.
    const hint = hintFor(reasonOf(error));
    const why = hint === undefined ? reasonOf(error) : HINTS[hint];
    throw new StartError(`The reward server cannot be started. ${why}`, hint, { code: 1, signal: null });
  }
}

/** Has this window counted; undefined when the server ends just now. */
function joinServer(lease: Lease, events: JoinedServerEvents): Promise<JoinedServer | undefined> {
  const agent = new ProvenAgent(lease);
  const endpoint = { url: leaseUrl(lease), token: lease.token, agent };
  return new Promise((resolve) => {
    let joined = false;
    const session: JoinedServer = {
      lease,
      endpoint,
      leave: attend(endpoint, agent, {
        onPresence: (presence) => {
          if (!joined && presence.state === "draining") {
            session.leave();
            resolve(undefined);
            return;
          }
          if (!joined) resolve(session);
          joined = true;
          events.onPresence(session, presence);
        },
        onEnd: () => {
          if (joined) events.onEnd(session);
          else resolve(undefined);
        },
      }),
      destroy: () => agent.destroy(),
    };
  });
}
