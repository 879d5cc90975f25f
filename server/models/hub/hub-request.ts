/**
 * Requests to the Hugging Face Hub and to where it redirects. The token goes to the Hub itself and nowhere else.
 * Proxies come from the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), further certificates from
 * NODE_EXTRA_CA_CERTS, which Node reads itself.
 */
import type { Readable } from "node:stream";
import axios, { isAxiosError } from "axios";
import { VERSION } from "../../../shared/contract.ts";
import { ServiceError } from "../../errors.ts";
import { type OnWait, Passing } from "./retry.ts";

export interface Hub {
  /** Without a slash at the end. A mirror may have a path. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** Pause before the first repetition of a request; doubled each time. */
  readonly retryMs: number;
  /** Longest silence of a server, before the headers and between two pieces of a body. */
  readonly silenceMs: number;
  /** Told before a request is repeated. */
  readonly onWait?: OnWait | undefined;
  /** Where the user sets the endpoint, for messages; HF_ENDPOINT unless it is another kind of server. */
  readonly setting?: string;
  /** What a refusal means there, for another kind of server. */
  readonly refusal?: (status: number, host: string, what: string) => ServiceError;
}

/** Name of what the user changes when the endpoint is wrong. */
export function settingOf(hub: Pick<Hub, "setting">): string {
  return hub.setting ?? "HF_ENDPOINT";
}

/** A response, its body not yet read. */
export interface HubResponse {
  readonly status: number;
  /** Where the last redirect led. */
  readonly url: URL;
  readonly body: Readable;
  header(name: string): string | undefined;
  /** What the Hub itself said before it redirected: hash and size of a large file. */
  readonly linked: { readonly etag: string | undefined; readonly size: string | undefined };
}

const ENDPOINT = "https://huggingface.co";
/** Beyond this a server is taken for dead. Content networks answer within a second. */
const SILENCE_MS = 30_000;
const RETRY_MS = 1000;
/** The Hub needs three at most: renamed repository, cache, content network. */
const MAX_REDIRECTS = 8;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The Hub or the mirror that `HF_ENDPOINT` names, with the token of `HF_TOKEN`.
 * @throws ServiceError invalid_request
 */
export function hubFromEnvironment(env: Environment = process.env): Hub {
  const endpoint = (env["HF_ENDPOINT"]?.trim() || ENDPOINT).replace(/\/+$/, "");
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.username !== "") {
    throw new ServiceError(
      "invalid_request",
      "HF_ENDPOINT is not the address of a Hub, such as https://huggingface.co. Correct or unset it.",
    );
  }
  const token = env["HF_TOKEN"]?.trim() || undefined;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ServiceError("invalid_request", "HF_TOKEN holds characters that no token has. Set it anew.");
  }
  if (token !== undefined && url.protocol === "http:" && !isLoopback(url)) {
    throw new ServiceError(
      "invalid_request",
      `HF_TOKEN would travel unencrypted to ${endpoint}. Use an https address in HF_ENDPOINT, or unset HF_TOKEN.`,
    );
  }
  return { endpoint, token, retryMs: RETRY_MS, silenceMs: SILENCE_MS };
}

/**
 * Gets an address and follows its redirects. Statuses are the caller's to judge.
 * @throws Passing when the network or the server failed; ServiceError download_failed when trying again cannot help;
 * the signal's reason when aborted
 */
export async function get(
  hub: Hub,
  address: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<HubResponse> {
  const home = new URL(hub.endpoint).origin;
  let url = new URL(address);
  let linked: HubResponse["linked"] = { etag: undefined, size: undefined };
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const authorization = hub.token !== undefined && url.origin === home ? `Bearer ${hub.token}` : undefined;
    const response = await getOnce(hub, url, signal, {
      "User-Agent": `codescaler/${VERSION}`,
      "Accept-Encoding": "identity",
      ...headers,
      ...(authorization !== undefined && { Authorization: authorization }),
    });
    linked = {
      etag: linked.etag ?? (url.origin === home ? response.header("x-linked-etag") : undefined),
      size: linked.size ?? (url.origin === home ? response.header("x-linked-size") : undefined),
    };
    const location = response.header("location");
    if (response.status < 300 || response.status > 399 || location === undefined) {
      return { ...response, linked };
    }
    response.body.destroy();
    url = redirected(hub, url, location);
  }
  throw new ServiceError(
    "download_failed",
    `${new URL(address).host} redirects in circles. Check ${settingOf(hub)} or try again later.`,
  );
}

function redirected(hub: Hub, from: URL, location: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const known = target?.protocol === "https:" || (target?.protocol === "http:" && from.protocol === "http:");
  if (target !== undefined && known && target.username === "" && target.password === "") return target;
  throw new ServiceError(
    "download_failed",
    `${from.host} redirects to an address that is not safe to follow. Check ${settingOf(hub)} and the network.`,
  );
}

async function getOnce(
  hub: Hub,
  url: URL,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<Omit<HubResponse, "linked">> {
  signal.throwIfAborted();
  const waiting = new AbortController();
  const giveUp = (): void => waiting.abort();
  const silence = setTimeout(giveUp, hub.silenceMs);
  signal.addEventListener("abort", giveUp);
  try {
    const response = await axios.request<Readable>({
      url: url.href,
      headers,
      responseType: "stream",
      decompress: false,
      // Followed above: the library would not know to whom the token may go.
      maxRedirects: 0,
      validateStatus: () => true,
      signal: waiting.signal,
      // Traffic inside this machine never passes a proxy.
      ...(isLoopback(url) && { proxy: false as const }),
    });
    return {
      status: response.status,
      url,
      body: response.data,
      header: (name) => {
        const value: unknown = response.headers[name.toLowerCase()];
        return typeof value === "string" ? value : undefined;
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    if (waiting.signal.aborted) {
      throw new Passing(
        `${url.host} does not answer. Check the network and run the same command again.`,
        error,
      );
    }
    throw networkFailure(hub, url, error);
  } finally {
    clearTimeout(silence);
    signal.removeEventListener("abort", giveUp);
  }
}

/** Pieces of a body; a server that falls silent, or a cut connection, is a failure that may pass. */
export async function* chunks(
  hub: Hub,
  response: HubResponse,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { body, url } = response;
  const stalled = new Passing(
    `${url.host} stopped sending. Check the network and run the same command again.`,
  );
  const stop = (): void => {
    body.destroy(new Error("aborted"));
  };
  const timer = setTimeout(() => body.destroy(stalled), hub.silenceMs);
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    for await (const chunk of body) {
      timer.refresh();
      if (chunk instanceof Uint8Array) yield chunk;
      // Not counted against the server: what the reader needed to write it down.
      timer.refresh();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    throw new Passing(
      `The connection to ${url.host} was cut. Run the same command again to continue.`,
      error,
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    body.destroy();
  }
}

const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
]);

function networkFailure(hub: Hub, url: URL, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined && !isAxiosError(error)) return error;
  if (code !== undefined && CERTIFICATE_CODES.has(code)) {
    return new ServiceError(
      "download_failed",
      `The certificate of ${url.host} cannot be verified. If your network has its own authority, name its file in NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  if (
    code === "CERT_HAS_EXPIRED" ||
    code === "ERR_TLS_CERT_ALTNAME_INVALID" ||
    code === "CERT_NOT_YET_VALID"
  ) {
    return new ServiceError(
      "download_failed",
      `The certificate of ${url.host} is not valid for it now. Check this computer's clock and the network.`,
      { cause: error },
    );
  }
  const reason =
    code === "ENOTFOUND" || code === "EAI_AGAIN"
      ? "its name is not known"
      : code === "ECONNREFUSED"
        ? "the connection was refused"
        : code === "ECONNRESET" || code === "ECONNABORTED" || code === "EPIPE"
          ? "the connection was cut"
          : code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH"
            ? "there is no way to it"
            : (code ?? "the connection failed");
  return new Passing(
    `${url.host} cannot be reached (${reason}). Check the network, HTTPS_PROXY and ${settingOf(hub)}, then run the same command again to continue.`,
    error,
  );
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && !at.code.startsWith("ERR_BAD")) return at.code;
  }
  return undefined;
}

/** Is this address inside this machine? */
export function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
}
