/** The window's reward server: the one that all windows share, or the user's own where the settings name one. */
import type { Event } from "../base/emitter.ts";
import { orAborted } from "../base/or-aborted.ts";
import type { RankError, ServerEndpoint } from "../ranking/server-client.ts";
import { CurrentState } from "./current-state.ts";
import { changeFor } from "./decisions.ts";
import { OwnServer } from "./own-server.ts";
import type { RewardServer, ServerState } from "./server-interface.ts";
import { SharedConnection, type SharedConnectionDependencies } from "./shared-connection.ts";

export interface SupervisorDependencies extends SharedConnectionDependencies {
  /** Token of the user's own server at this address; undefined when none was set. */
  ownToken(url: string): Promise<string | undefined>;
}

export class Supervisor implements RewardServer {
  readonly #options: SupervisorDependencies["options"];
  readonly #current = new CurrentState();
  readonly #own: OwnServer;
  readonly #shared: SharedConnection;
  readonly onDidChange: Event<ServerState> = this.#current.onDidChange;
  #disposed = false;

  constructor(deps: SupervisorDependencies) {
    this.#options = () => deps.options();
    this.#own = new OwnServer(
      (url) => deps.ownToken(url),
      (state) => this.#current.enter(state),
    );
    this.#shared = new SharedConnection(deps, this.#current);
  }

  get state(): ServerState {
    return this.#current.value;
  }

  output(): Promise<readonly string[]> {
    return this.#shared.output();
  }

  async endpoint(signal: AbortSignal): Promise<ServerEndpoint> {
    signal.throwIfAborted();
    return orAborted(this.#available(), signal);
  }

  /** Joins or starts it, for a use that is about to come. Its failure is in the state. */
  warm(): void {
    if (this.state.kind === "stopped") this.#available().catch(() => {});
  }

  lost(endpoint: ServerEndpoint, error: RankError): void {
    if (this.#own.url !== endpoint.url) {
      this.#shared.lost(endpoint, error);
      return;
    }
    this.#own.forget();
    this.#current.enter({ kind: "down", problem: error });
  }

  async restart(): Promise<void> {
    this.#shared.forgetEnds();
    this.#own.forget();
    const { url } = this.#options();
    await (url === "" ? this.#shared.replace() : this.#own.endpoint(url));
  }

  /** Replaces a server that is to run differently now. */
  async optionsChanged(): Promise<void> {
    // A server that is just being started has the options of before.
    await this.#shared.settled();
    if (this.#disposed) return;
    const options = this.#options();
    const { lease, folder, wantedFolder } = this.#shared;
    const present = { state: this.state.kind, ownUrl: this.#own.url, lease, folder };
    const change = changeFor(present, options, wantedFolder);
    // Nobody waits for what begins here: a failure is in the state.
    switch (change) {
      case "nothing":
        return;
      case "forget":
        this.#shared.forgetEnds();
        this.#own.forget();
        this.#shared.leave();
        this.#current.enter({ kind: "stopped" });
        return;
      case "move":
        this.#own.forget();
        this.#shared.leave();
        await this.#shared.join().catch(() => {});
        return;
      case "restart":
        await this.restart().catch(() => {});
        return;
      case "connect":
        this.#shared.leave();
        await this.#own.endpoint(options.url).catch(() => {});
        return;
      default:
        change satisfies never;
    }
  }

  async stop(): Promise<void> {
    this.#own.forget();
    await this.#shared.stop();
  }

  /** Leaves the server; it ends by itself when no window is left. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#shared.dispose();
    this.#current.dispose();
  }

  #available(): Promise<ServerEndpoint> {
    const { url } = this.#options();
    return url === "" ? this.#shared.endpoint() : this.#own.endpoint(url);
  }
}
