/** A reward server of the user's own, by its address: neither started nor stopped here. */
import { reasonOf } from "../base/log.ts";
import { checkHealth, RankError, type ServerEndpoint } from "../ranking/server-client.ts";
import type { ServerState } from "./server-interface.ts";

/** The connection to one, after it was seen to be a reward server. */
export class OwnServer {
  readonly #token: (url: string) => Promise<string | undefined>;
  readonly #enter: (state: ServerState) => void;
  #present: { readonly url: string; readonly endpoint: Promise<ServerEndpoint> } | undefined;

  /** @param enter told how it is, whenever it is looked at */
  constructor(token: (url: string) => Promise<string | undefined>, enter: (state: ServerState) => void) {
    this.#token = token;
    this.#enter = enter;
  }

  /** The address it is connected to, or being connected. */
  get url(): string | undefined {
    return this.#present?.url;
  }

  /** Looks at it anew the next time. */
  forget(): void {
    this.#present = undefined;
  }

  /**
   * Where it answers; looked at once, and again after it could not be reached.
   * @throws RankError
   */
  endpoint(url: string): Promise<ServerEndpoint> {
    if (this.#present?.url === url) return this.#present.endpoint;
    const present = { url, endpoint: this.#connect(url) };
    this.#present = present;
    present.endpoint.catch(() => {
      // It may run by the next request.
      if (this.#present === present) this.#present = undefined;
    });
    return present.endpoint;
  }

  async #connect(url: string): Promise<ServerEndpoint> {
    this.#enter({ kind: "starting" });
    try {
      const endpoint = { url: checked(url), token: (await this.#token(url)) ?? "" };
      const { model, version } = await checkHealth(endpoint, new AbortController().signal);
      this.#enter({ kind: "ready", url, own: true, model: model ?? "", version });
      return endpoint;
    } catch (error) {
      const problem = error instanceof RankError ? error : new RankError("unreachable", reasonOf(error));
      this.#enter({ kind: "down", problem });
      throw problem;
    }
  }
}

function checked(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new RankError(
    "unreachable",
    `“${url}” is no address of a server. Set codescaler.server.url to one like http://127.0.0.1:8137.`,
  );
}
