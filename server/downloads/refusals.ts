/** What a response means that is not what was asked for. */
import { retryAfterMs } from "../../shared/http/retry-after.ts";
import { ServiceError } from "../errors.ts";
import type { SiteResponse } from "./get.ts";
import { Passing } from "./retry.ts";
import type { Site } from "./site.ts";

/**
 * What a status other than success means.
 * @param what was asked for, for the sentence
 */
export function refusalOf(site: Site, response: SiteResponse, what: string): ServiceError {
  response.discard();
  const { status } = response;
  const { host } = response.url;
  if (status === 407) {
    return new ServiceError(
      "download_failed",
      "The proxy asks for a name and a password. Put them into HTTPS_PROXY (http://name:password@host).",
    );
  }
  if (status === 429) {
    return new Passing(
      `${host} has had too many requests from here. Wait a while and run the same command again to continue.`,
      undefined,
      requestedWaitMs(response),
    );
  }
  if (status >= 500 || status === 408) {
    return new Passing(
      `${host} is in trouble (status ${status}). Run the same command again later to continue.`,
      undefined,
      requestedWaitMs(response),
    );
  }
  return site.refusal(response, what);
}

/** `Retry-After`, or what the Hub sends instead: `RateLimit: "api";r=0;t=55` (remaining requests, seconds). */
function requestedWaitMs(response: SiteResponse): number | undefined {
  const reset = /;\s*t=(\d+)/.exec(response.header("ratelimit") ?? "")?.[1];
  return retryAfterMs(response.header("retry-after") ?? reset);
}

/**
 * Refuses a web page where something else was asked for.
 * @param what completes the sentence "HOST sent a web page instead of …"
 */
export function requireNoPage(site: Site, response: SiteResponse, what: string): void {
  if (!/^text\/html\b/i.test(response.header("content-type") ?? "")) return;
  response.discard();
  throw new ServiceError(
    "download_failed",
    `${response.url.host} sent a web page instead of ${what}. A login page, a proxy or a wrong ${site.setting} is in the way.`,
  );
}
