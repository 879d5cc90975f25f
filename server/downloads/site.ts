/** A place on the network that files are downloaded from: the Hugging Face Hub, an npm registry, or a mirror of one. */
import { isLoopback } from "../../shared/http/loopback.ts";
import { ServiceError } from "../errors.ts";
import type { SiteResponse } from "./get.ts";
import type { OnWait } from "./retry.ts";

export interface Site {
  /** Without a slash at the end. A mirror may have a path. */
  readonly endpoint: string;
  /** Goes to the endpoint's own host and nowhere else. */
  readonly token: string | undefined;
  /** Where the user sets the endpoint, for messages. */
  readonly setting: string;
  /** Pause before the first repetition of a request, in milliseconds; doubled each time. */
  readonly retryMs: number;
  /** Longest silence of a server in milliseconds, before the headers and between two pieces of a body. */
  readonly silenceMs: number;
  /** Called before a request is repeated. */
  readonly onWait?: OnWait | undefined;
  /**
   * What a status means that only this site can explain; all others mean the same everywhere (status.ts).
   * @param what was asked for, for the sentence
   */
  readonly refusal: (response: SiteResponse, what: string) => ServiceError;
}

/** How long a site is waited for. Beyond the silence a server is taken for dead: content networks answer in a second. */
export const PATIENCE = { retryMs: 1000, silenceMs: 30_000 } as const;

/**
 * Checks what a user configured as an endpoint, and that its token is not sent in the open.
 * @param wrong the sentence for what is no address of such a site
 * @param open the sentence for a token that would travel unencrypted
 * @throws ServiceError invalid_request
 */
export function checkEndpoint(
  endpoint: string,
  token: string | undefined,
  { wrong, open }: { readonly wrong: string; readonly open: (url: URL) => string },
): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.username !== "") {
    throw new ServiceError("invalid_request", wrong);
  }
  if (token !== undefined && url.protocol === "http:" && !isLoopback(url)) {
    throw new ServiceError("invalid_request", open(url));
  }
  return url;
}
