/** GET requests to a site and to where it redirects. The site's token goes to the site itself and nowhere else. */
import { VERSION } from "../../shared/contract.ts";
import { HttpFailure, wordsFor } from "../../shared/http/http-failure.ts";
import { type HttpReply, send } from "../../shared/http/send.ts";
import { ServiceError } from "../errors.ts";
import { Passing } from "./retry.ts";
import type { Site } from "./site.ts";

/** A response, its body not yet read. */
export interface SiteResponse {
  readonly status: number;
  /** Where the last redirect led. */
  readonly url: URL;
  header(name: string): string | undefined;
  /** What the site itself said before it redirected: hash and size of a large file. */
  readonly linked: { readonly etag: string | undefined; readonly size: string | undefined };
  /**
   * The pieces of the body; leaving the loop closes the connection.
   * @throws Passing when the server falls silent or the connection is cut; the signal's reason when aborted
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the body up. */
  discard(): void;
}

/** The Hub needs three at most: renamed repository, cache, content network. */
const MAX_REDIRECTS = 8;

/**
 * Gets an address and follows its redirects. Statuses are the caller's to judge.
 * @throws Passing when the network or the server failed; ServiceError download_failed when trying again cannot help;
 * the signal's reason when aborted
 */
export async function get(
  site: Site,
  address: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<SiteResponse> {
  const home = new URL(site.endpoint).origin;
  let url = new URL(address);
  let etag: string | undefined;
  let size: string | undefined;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const atHome = url.origin === home;
    const reply = await getOnce(site, url, signal, {
      ...headers,
      ...(site.token !== undefined && atHome && { Authorization: `Bearer ${site.token}` }),
    });
    if (atHome) {
      etag ??= reply.header("x-linked-etag");
      size ??= reply.header("x-linked-size");
    }
    const location = reply.header("location");
    if (reply.status < 300 || reply.status > 399 || location === undefined) {
      return {
        status: reply.status,
        url,
        header: reply.header,
        linked: { etag, size },
        body: bodyOf(site, url, reply),
        discard: reply.discard,
      };
    }
    reply.discard();
    url = redirected(site, url, location);
  }
  throw new ServiceError(
    "download_failed",
    `${new URL(address).host} redirects in circles. Check ${site.setting} or try again later.`,
  );
}

function redirected(site: Site, from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const known = target?.protocol === "https:" || (target?.protocol === "http:" && from.protocol === "http:");
  if (target !== undefined && known && target.username === "" && target.password === "") return target;
  throw new ServiceError(
    "download_failed",
    `${from.host} redirects to an address that is not safe to follow. Check ${site.setting} and the network.`,
  );
}

async function getOnce(
  site: Site,
  url: URL,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<HttpReply> {
  try {
    return await send({
      method: "GET",
      url,
      headers: { "User-Agent": `codescaler/${VERSION}`, "Accept-Encoding": "identity", ...headers },
      signal,
      limits: { head: site.silenceMs, idle: site.silenceMs },
      verbatim: true,
    });
  } catch (error) {
    throw error instanceof HttpFailure ? inWords(site, url, error) : error;
  }
}

async function* bodyOf(site: Site, url: URL, { body }: HttpReply): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw error instanceof HttpFailure ? inWords(site, url, error) : error;
  }
}

function inWords(site: Site, { host }: URL, failure: HttpFailure): ServiceError {
  if (failure.answered) {
    return new Passing(
      failure.reason === "silent"
        ? `${host} stopped sending. Check the network and run the same command again.`
        : `The connection to ${host} was cut. Run the same command again to continue.`,
      failure,
    );
  }
  switch (failure.reason) {
    case "silent":
      return new Passing(
        `${host} does not answer. Check the network and run the same command again.`,
        failure,
      );
    case "authority":
      return new ServiceError(
        "download_failed",
        `The certificate of ${host} cannot be verified. If your network has its own authority, name its file in NODE_EXTRA_CA_CERTS.`,
        { cause: failure },
      );
    case "certificate":
      return new ServiceError(
        "download_failed",
        `The certificate of ${host} is not valid for it now. Check this computer's clock and the network.`,
        { cause: failure },
      );
    default:
      return new Passing(
        `${host} cannot be reached (${wordsFor(failure)}). Check the network, HTTPS_PROXY and ${site.setting}, then run the same command again to continue.`,
        failure,
      );
  }
}
