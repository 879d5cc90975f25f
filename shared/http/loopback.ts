/** Which addresses lead to this machine itself. Pure. */

/** The names that VS Code's own network layer never sends through a proxy either. */
const NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Whether an address is this machine's own: traffic then leaves nothing, needs no encryption, and no proxy is used.
 * Other names of this machine (127.0.0.2, name.localhost) count as remote: VS Code's patch of Node's http module would
 * send them through `http.proxy`.
 */
export function isLoopback(url: URL): boolean {
  return NAMES.has(url.hostname);
}
