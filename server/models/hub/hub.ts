/**
 * What the Hugging Face Hub says about a repository: its commit, its files, their hashes.
 * API: https://huggingface.co/docs/hub/api (revision and tree), and the files' addresses under /resolve/.
 */
import { ServiceError } from "../../errors.ts";
import { asArray, asNumber, asObject, asString } from "../../files/json-file.ts";
import { chunks, get, type Hub, type HubResponse, settingOf } from "./hub-request.ts";
import { Passing, retrying } from "./retry.ts";

/** How a file's content is named: large files of the Hub by SHA-256, small ones as git does; SHA-512 by npm. */
export interface FileHash {
  readonly kind: "sha256" | "git-sha1" | "sha512";
  /** Lower-case hexadecimal. */
  readonly value: string;
}

export interface HubFile {
  /** Name in the top folder of the repository. */
  readonly path: string;
  readonly size: number;
  readonly hash: FileHash;
}

export interface HubRepository {
  /** owner/name, as the Hub spells it. */
  readonly id: string;
  /** Hash of the commit that `files` belong to. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

/** owner/name of the Hub. */
export const REPOSITORY = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
/** A branch, tag or commit; nothing that could change the address. */
export const REVISION = /^[A-Za-z0-9][\w.-]{0,127}$/;
/** A listing of 10,000 files has 3 MB. */
const LARGEST_REPLY = 16 * 2 ** 20;
/** The Hub sends 1,000 entries a page. */
const MAX_PAGES = 50;

/**
 * Reads commit and files of a revision.
 * @throws ServiceError download_failed, model_not_found
 */
export async function readRepository(
  hub: Hub,
  repository: string,
  revision: string,
  signal: AbortSignal,
): Promise<HubRepository> {
  const api = `${hub.endpoint}/api/models`;
  const info = asObject(
    (await getJson(hub, `${api}/${repository}/revision/${revision}`, repository, signal)).json,
  );
  const commit = asString(info?.["sha"]) ?? "";
  const id = asString(info?.["id"]) ?? repository;
  if (!/^[0-9a-f]{40}$/.test(commit) || !REPOSITORY.test(id)) throw strange(hub, "names no commit");
  const files: HubFile[] = [];
  let next: string | undefined = `${api}/${id}/tree/${commit}`;
  for (let page = 0; next !== undefined; page++) {
    if (page === MAX_PAGES) throw strange(hub, "lists files without end");
    const { json, response } = await getJson(hub, next, repository, signal);
    for (const entry of asArray(json) ?? []) {
      const file = parseFile(entry);
      if (file !== undefined) files.push(file);
    }
    next = nextPage(hub, response);
  }
  return { id, commit, files };
}

/** Address of a file's content. */
export function fileAddress(hub: Hub, { id, commit }: HubRepository, path: string): string {
  return `${hub.endpoint}/${id}/resolve/${commit}/${encodeURIComponent(path)}`;
}

/** An entry of the listing; undefined for folders, and for what says no hash that can be checked. */
function parseFile(value: unknown): HubFile | undefined {
  const entry = asObject(value);
  const path = asString(entry?.["path"]);
  if (entry?.["type"] !== "file" || path === undefined) return undefined;
  const large = asObject(entry["lfs"]);
  const size = asNumber(large?.["size"]) ?? asNumber(entry["size"]) ?? -1;
  // A file in the newer chunk store has its SHA-256 under "lfs" too; without one the git hash is that of a pointer.
  const sha256 = asString(large?.["oid"]);
  const sha1 = entry["xetHash"] === undefined && large === undefined ? asString(entry["oid"]) : undefined;
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) {
    return { path, size, hash: { kind: "sha256", value: sha256 } };
  }
  if (sha1 !== undefined && /^[0-9a-f]{40}$/.test(sha1)) {
    return { path, size, hash: { kind: "git-sha1", value: sha1 } };
  }
  return undefined;
}

/** Address in `Link: <…>; rel="next"`; only pages of the same Hub count. */
function nextPage(hub: Hub, response: HubResponse): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="next"/.exec(response.header("link") ?? "")?.[1];
  if (link === undefined) return undefined;
  const url = URL.canParse(link, response.url.href) ? new URL(link, response.url.href) : undefined;
  if (url?.origin !== new URL(hub.endpoint).origin) throw strange(hub, "continues its list elsewhere");
  return url.href;
}

/**
 * A JSON document of a Hub, or of a server like one.
 * @param repository what is asked for, for messages
 * @throws ServiceError download_failed, model_not_found
 */
export async function getJson(
  hub: Hub,
  address: string,
  repository: string,
  signal: AbortSignal,
): Promise<{ readonly json: unknown; readonly response: HubResponse }> {
  return retrying(
    async () => {
      const response = await get(hub, address, signal, { Accept: "application/json" });
      if (response.status !== 200) throw refusal(hub, response, repository);
      requireNoPage(hub, response, `the description of ${repository}`);
      const parts: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of chunks(hub, response, signal)) {
        size += chunk.byteLength;
        if (size > LARGEST_REPLY) throw strange(hub, "answers without end");
        parts.push(chunk);
      }
      try {
        return { json: JSON.parse(Buffer.concat(parts).toString("utf8")), response };
      } catch (error) {
        throw new Passing(
          `${response.url.host} answered with something other than a Hub's reply. Check ${settingOf(hub)} and the network.`,
          error,
        );
      }
    },
    { signal, firstMs: hub.retryMs, onWait: hub.onWait },
  );
}

function strange(hub: Hub, what: string): ServiceError {
  return new ServiceError(
    "download_failed",
    `${new URL(hub.endpoint).host} ${what}: it does not answer as a Hugging Face Hub. Check HF_ENDPOINT.`,
  );
}

/**
 * Refuses a web page where something else was asked for.
 * @param what completes the sentence "HOST sent a web page instead of …"
 */
export function requireNoPage(hub: Hub, response: HubResponse, what: string): void {
  if (!/^text\/html\b/i.test(response.header("content-type") ?? "")) return;
  response.body.destroy();
  throw new ServiceError(
    "download_failed",
    `${response.url.host} sent a web page instead of ${what}. A login page, a proxy or a wrong ${settingOf(hub)} is in the way.`,
  );
}

/** What a status other than success means. */
export function refusal(hub: Hub, response: HubResponse, repository: string): ServiceError {
  response.body.destroy();
  const { status } = response;
  const { host } = response.url;
  if (hub.refusal !== undefined && status < 500 && ![407, 408, 429].includes(status)) {
    return hub.refusal(status, host, repository);
  }
  const code = response.header("x-error-code") ?? "";
  const page = `${hub.endpoint}/${repository}`;
  const failed = (message: string) => new ServiceError("download_failed", message);
  if (code === "GatedRepo") {
    return failed(
      hub.token === undefined
        ? `${repository} is gated. Accept its terms at ${page}, then set HF_TOKEN to a token of that account.`
        : `The account of HF_TOKEN has no access to ${repository}. Ask for it at ${page}, and let the token read gated repositories.`,
    );
  }
  if (status === 403) {
    return failed(
      `${host} refuses ${repository} (status 403). If it is gated, accept its terms at ${page} and set HF_TOKEN; otherwise a proxy may forbid it.`,
    );
  }
  if (status === 401 && hub.token !== undefined && code !== "RepoNotFound") {
    return failed(`${host} does not accept HF_TOKEN. Make a new token at ${hub.endpoint}/settings/tokens.`);
  }
  if (code === "RevisionNotFound") {
    return new ServiceError(
      "model_not_found",
      `${repository} has no such revision. See its branches and commits at ${page}.`,
    );
  }
  if (status === 401 || status === 404) {
    return new ServiceError(
      "model_not_found",
      hub.token === undefined
        ? `${host} knows no ${repository}, or it is private. Check the name; for a private one set HF_TOKEN.`
        : `${host} knows no ${repository} that the account of HF_TOKEN may see. Check the name.`,
    );
  }
  if (status === 407) {
    return failed(
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
  return failed(`${host} refuses the request (status ${status}). Check ${settingOf(hub)} and the network.`);
}

/** `Retry-After`, or what the Hub sends instead: `RateLimit: "api";r=0;t=55` (remaining requests, seconds). */
function requestedWaitMs(response: HubResponse): number | undefined {
  const reset = /;\s*t=(\d+)/.exec(response.header("ratelimit") ?? "")?.[1];
  return retryAfterMs(response.header("retry-after") ?? reset);
}

/** Seconds or a date; undefined when there is none. */
export function retryAfterMs(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
