/** Addresses of sources, and where an endpoint's routes are. Pure. */
import { withoutEnd } from "../../../shared/text-end.ts";
import { SourceError } from "../source-error.ts";

/**
 * Parses the base address of a source.
 * @throws SourceError bad_address
 */
export function parseAddress(address: string, source: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new SourceError("bad_address", { source, address });
  }
  return url;
}

/**
 * The address of a route below a base that people write in several ways: with or without a trailing slash,
 * with or without `root` ("/v1", "/api"). A base with a path of its own is taken as it is.
 */
export function route(base: URL, root: string, path: string): string {
  const own = withoutEnd(base.pathname, "/");
  const before = own === "" ? root : own;
  return `${base.origin}${before}${path}`;
}

/** What a message names of an address: no path, no query, no credentials. */
export function shown(url: URL): string {
  return url.origin;
}

/** How a proxy setting's exceptions match a host: "*", "host", "host:port", ".domain", "*.domain". */
export function bypassesProxy(url: URL, noProxy: readonly string[]): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return noProxy.some((entry) => {
    const rule = entry.trim().toLowerCase();
    if (rule === "*") return true;
    const [, name = "", rulePort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(rule) ?? [];
    if (name === "" || (rulePort !== undefined && rulePort !== port)) return false;
    const domain = name.replace(/^\*?\./, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
}
