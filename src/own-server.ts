/** A reward server of the user's own, by its address: neither started nor stopped here. */
import { checkHealth, type Endpoint, RankError } from "./ranking/client.ts";

export interface OwnServer {
  readonly endpoint: Endpoint;
  readonly version: string;
  /** The model in its memory; empty where it has none yet. */
  readonly model: string;
}

/**
 * Connects to a server, after it was seen to be one.
 * @throws RankError
 */
export async function connectOwn(url: string, token: string | undefined): Promise<OwnServer> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new RankError(
      "unreachable",
      `“${url}” is no address of a server. Set codescaler.server.url to one like http://127.0.0.1:8137.`,
    );
  }
  const endpoint = { url, token: token ?? "" };
  const { model, version } = await checkHealth(endpoint, new AbortController().signal);
  return { endpoint, version, model: model ?? "" };
}
