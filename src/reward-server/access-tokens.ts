/** Access tokens of reward servers, each kept under the addresses that it belongs to: no other is sent it. */

/** The editor's secret storage, as far as it is used here. */
export interface Secrets {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

export class AccessTokens {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** The token of a server of the user's own; undefined when none was set. */
  async ofServer(url: string): Promise<string | undefined> {
    return this.#secrets.get(serverKey(url));
  }

  /** The token of exactly these engines: with one more, it is asked for anew. */
  async ofEngines(engines: readonly string[]): Promise<string | undefined> {
    return this.#secrets.get(enginesKey(engines));
  }

  /** @param token empty deletes the one that is kept */
  async setForServer(url: string, token: string): Promise<void> {
    await this.#set(serverKey(url), token);
  }

  /** @param token empty deletes the one that is kept */
  async setForEngines(engines: readonly string[], token: string): Promise<void> {
    await this.#set(enginesKey(engines), token);
  }

  async #set(key: string, token: string): Promise<void> {
    if (token === "") await this.#secrets.delete(key);
    else await this.#secrets.store(key, token);
  }
}

function serverKey(url: string): string {
  return `server:${new URL(url).origin}`;
}

function enginesKey(engines: readonly string[]): string {
  return `engines:${engines.map((address) => (URL.canParse(address) ? new URL(address).origin : address)).join(" ")}`;
}
