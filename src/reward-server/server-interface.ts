/** The reward server as the rest of the extension sees it: how it is, where it answers, and what can be asked of it. */
import type { Event } from "../base/emitter.ts";
import type { RankError, ServerEndpoint } from "../ranking/server-client.ts";

/** What people need to know of the server. `down` and `failed` carry what is wrong, with the way out. */
export type ServerState =
  /** Not needed yet, or stopped by the user. */
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | {
      readonly kind: "ready";
      readonly url: string;
      /** The user's own, which we neither start nor stop. */
      readonly own: boolean;
      /** Empty while none is in memory. */
      readonly model: string;
      readonly version: string;
      /** Why the model runs on something slower than it could. */
      readonly reason?: string;
    }
  /** Ended by itself; it starts again after a pause, or when it is needed. */
  | { readonly kind: "down"; readonly problem: RankError }
  /** Given up: other settings or the user start it again. */
  | { readonly kind: "failed"; readonly problem: RankError };

/** How the server is to be run. */
export interface ServerOptions {
  /** A server of the user's own; none is started then. */
  readonly url: string;
  /** Engines on other hosts that have the model's weights; empty: it runs here. A change needs another server. */
  readonly engines: readonly string[];
  /** Loaded first by a server that is started; requests name it too. */
  readonly model: string;
  /** A change replaces the server. */
  readonly device: "auto" | "gpu" | "cpu";
  /** Minutes without a request after which the model's memory is given back; 0 = never. */
  readonly unloadAfter: number;
}

export interface RewardServer {
  readonly state: ServerState;
  readonly onDidChange: Event<ServerState>;
  /**
   * Where it answers; joins or starts it where needed. Requests may be sent while it still loads its model.
   * @throws RankError unreachable with what is wrong; the signal's reason when aborted
   */
  endpoint(signal: AbortSignal): Promise<ServerEndpoint>;
  /** Has it replaced by a fresh one with the present options, for all windows, and forgets earlier crashes. */
  restart(): Promise<void>;
  /** Ends it for all windows, after what it is answering; the next request starts it again. */
  stop(): Promise<void>;
  /** Someone's request failed in a way that says it may be gone: it is looked at again before the next use. */
  lost(endpoint: ServerEndpoint, error: RankError): void;
  /** Its last lines on stderr, oldest first. */
  output(): Promise<readonly string[]>;
}
