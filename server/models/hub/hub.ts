/**
 * What the Hugging Face Hub says about a repository: its commit, its files, their hashes.
 * API: https://huggingface.co/docs/hub/api (revision and tree), and the files' addresses under /resolve/.
 */
import type { RemoteFile } from "../../downloads/download-file.ts";
import type { SiteResponse } from "../../downloads/get.ts";
import { getJson } from "../../downloads/json.ts";
import type { Site } from "../../downloads/site.ts";
import { ServiceError } from "../../errors.ts";
import { asArray, asNumber, asObject, asString } from "../../files/json-file.ts";

export interface HubRepository {
  /** owner/name, as the Hub spells it. */
  readonly id: string;
  /** Hash of the commit that `files` belong to. */
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** owner/name of the Hub. */
export const REPOSITORY = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
/** A branch, tag or commit; nothing that could change the address. */
export const REVISION = /^[A-Za-z0-9][\w.-]{0,127}$/;
/** The Hub sends 1,000 entries a page. */
const MAX_PAGES = 50;

/**
 * Reads commit and files of a revision.
 * @throws ServiceError download_failed, model_not_found
 */
export async function readRepository(
  hub: Site,
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
  const files: RemoteFile[] = [];
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
export function fileAddress(hub: Site, { id, commit }: HubRepository, path: string): string {
  return `${hub.endpoint}/${id}/resolve/${commit}/${encodeURIComponent(path)}`;
}

/** An entry of the listing; undefined for folders, and for what says no hash that can be checked. */
function parseFile(value: unknown): RemoteFile | undefined {
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
function nextPage(hub: Site, response: SiteResponse): string | undefined {
  const link = /<([^<>]+)>\s*;\s*rel="next"/.exec(response.header("link") ?? "")?.[1];
  if (link === undefined) return undefined;
  const url = URL.canParse(link, response.url.href) ? new URL(link, response.url.href) : undefined;
  if (url?.origin !== new URL(hub.endpoint).origin) throw strange(hub, "continues its list elsewhere");
  return url.href;
}

function strange(hub: Site, what: string): ServiceError {
  return new ServiceError(
    "download_failed",
    `${new URL(hub.endpoint).host} ${what}: it does not answer as a Hugging Face Hub. Check ${hub.setting}.`,
  );
}
