/** The npm registry as a site to download from: where it is by npm's own settings, and where a package's archive is. */

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { withoutEnd } from "../../../shared/text-end.ts";
import type { FileHash, RemoteFile } from "../../downloads/download-file.ts";
import { get } from "../../downloads/get.ts";
import { getJson } from "../../downloads/json.ts";
import { refusalOf } from "../../downloads/refusals.ts";
import { retrying } from "../../downloads/retry.ts";
import { checkEndpoint, PATIENCE, type Site } from "../../downloads/site.ts";
import { ServiceError } from "../../errors.ts";
import type { Environment } from "../../files/folders.ts";
import { asObject, asString } from "../../files/json-file.ts";
import type { BuildPackage } from "./packages.ts";

const PUBLIC = "https://registry.npmjs.org";

/** An archive that can be downloaded. */
export interface Archive {
  readonly address: string;
  readonly file: RemoteFile;
}

/**
 * The registry of `npm_config_registry`, else of the user's .npmrc, else the public one; with the token that .npmrc has
 * for it.
 * @throws ServiceError invalid_request
 */
export async function registryFromEnvironment(env: Environment = process.env): Promise<Site> {
  const file = setIn(env, "npm_config_userconfig") ?? join(homedir(), ".npmrc");
  return registryOf(env, await readFile(file, "utf8").catch(() => ""));
}

/** The same, from the text of .npmrc. */
export function registryOf(env: Environment, npmrc: string): Site {
  const settings = parseNpmrc(npmrc, env);
  const endpoint = withoutEnd(
    settings.get("@node-llama-cpp:registry") ??
      setIn(env, "npm_config_registry") ??
      settings.get("registry") ??
      PUBLIC,
    "/",
  );
  const { host, pathname } = URL.canParse(endpoint) ? new URL(endpoint) : { host: "", pathname: "" };
  const token = settings.get(`//${host}${withoutEnd(pathname, "/")}/:_authToken`);
  checkEndpoint(endpoint, token, {
    wrong: "The npm registry is no http or https address. Correct npm_config_registry or .npmrc.",
    open: (url) =>
      `The token for ${url.host} would travel unencrypted. Use an https address for the registry.`,
  });
  return {
    endpoint,
    token,
    setting: "the npm registry (npm_config_registry)",
    ...PATIENCE,
    refusal: ({ status, url }, what) =>
      new ServiceError(
        "download_failed",
        status === 404
          ? `${url.host} has no ${what}. Set npm_config_registry to a registry that has it, such as ${PUBLIC}.`
          : `${url.host} refuses ${what} (status ${status}). Check npm_config_registry and its token in .npmrc.`,
      ),
  };
}

/**
 * Where a package's archive is, and how large.
 * @throws ServiceError download_failed, also when the registry has another content than this program knows
 */
export async function findArchive(
  registry: Site,
  wanted: BuildPackage,
  signal: AbortSignal,
): Promise<Archive> {
  const title = `${wanted.name} ${wanted.version}`;
  const { json } = await getJson(
    registry,
    `${registry.endpoint}/${wanted.name.replace("/", "%2f")}`,
    wanted.name,
    signal,
  );
  const dist = asObject(asObject(asObject(asObject(json)?.["versions"])?.[wanted.version])?.["dist"]);
  const tarball = asString(dist?.["tarball"]);
  const host = new URL(registry.endpoint).host;
  if (tarball === undefined || !URL.canParse(tarball)) {
    throw new ServiceError(
      "download_failed",
      `${host} has no ${title}. Set npm_config_registry to a registry that has it, such as ${PUBLIC}.`,
    );
  }
  const integrity = asString(dist?.["integrity"]);
  if (integrity !== undefined && !integrity.split(/\s+/).includes(wanted.integrity)) {
    throw new ServiceError(
      "download_failed",
      `${host} has another ${title} than this version of CodeScaler was made with, so it is not used. Set npm_config_registry to ${PUBLIC}.`,
    );
  }
  const address = throughMirror(registry, tarball);
  const size = await sizeOf(registry, address, title, signal);
  const path = `${wanted.name.split("/").at(-1)}-${wanted.version}.tgz`;
  return { address, file: { path, size, hash: hashOf(wanted) } };
}

/** Mirrors hand on the public registry's addresses; npm asks the mirror for these too. */
function throughMirror(registry: Site, tarball: string): string {
  return tarball.startsWith(`${PUBLIC}/`) ? registry.endpoint + tarball.slice(PUBLIC.length) : tarball;
}

/** Only the answer to a request for the archive says its size. */
function sizeOf(registry: Site, address: string, what: string, signal: AbortSignal): Promise<number> {
  return retrying(
    async () => {
      const response = await get(registry, address, signal, { Range: "bytes=0-0" });
      if (response.status !== 200 && response.status !== 206) throw refusalOf(registry, response, what);
      response.discard();
      const told =
        response.status === 206
          ? /^bytes 0-0\/(\d+)$/.exec(response.header("content-range") ?? "")?.[1]
          : response.header("content-length");
      const size = Number(told);
      if (Number.isSafeInteger(size) && size > 1) return size;
      throw new ServiceError(
        "download_failed",
        `${response.url.host} does not say how large ${what} is. Set npm_config_registry to ${PUBLIC}.`,
      );
    },
    { signal, firstMs: registry.retryMs, onWait: registry.onWait },
  );
}

function hashOf({ integrity }: BuildPackage): FileHash {
  return { kind: "sha512", value: Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex") };
}

/** npm takes its settings from variables in either case. */
function setIn(env: Environment, name: string): string | undefined {
  return (env[name] ?? env[name.toUpperCase()])?.trim() || undefined;
}

/** `key = value` lines; `${NAME}` is a variable of the environment, as in npm. */
function parseNpmrc(text: string, env: Environment): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf("=");
    const key = line.slice(0, equals).trim();
    if (equals < 0 || key === "" || /^[#;]/.test(key)) continue;
    const value = line
      .slice(equals + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, "$2");
    settings.set(
      key,
      value.replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole),
    );
  }
  return settings;
}
