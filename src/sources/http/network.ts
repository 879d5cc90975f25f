/** How a host is reached: this machine directly, remote hosts as the editor's network settings say. */
import http from "node:http";
import https from "node:https";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { isLoopback } from "../../../shared/http/loopback.ts";
import type { Route } from "../../../shared/http/send.ts";
import { bypassesProxy, shown } from "./source-address.ts";

/** The editor's own network settings (`http.*`), as plain values. */
export interface NetworkSettings {
  /** `http.proxy`; undefined leaves remote hosts to the editor, which patches Node's http for system proxies. */
  readonly proxy?: string;
  /** `http.noProxy`. */
  readonly noProxy: readonly string[];
  /** `http.proxyAuthorization`, a whole header value. */
  readonly proxyAuthorization?: string;
  /** `http.proxyStrictSSL`: whether certificates of remote hosts are checked. */
  readonly strictSSL: boolean;
}

/** Kept connections through the current proxy; those of an earlier setting are left to end by themselves. */
export class ProxyAgents {
  readonly #agents = new Map<string, http.Agent>();
  #settings = "";

  get(url: URL, proxy: string, settings: NetworkSettings, keepAlive: boolean): http.Agent {
    const { proxyAuthorization, strictSSL } = settings;
    const headers = proxyAuthorization === undefined ? {} : { "Proxy-Authorization": proxyAuthorization };
    const options = { headers, rejectUnauthorized: strictSSL, keepAlive };
    const create = () =>
      url.protocol === "https:" ? new HttpsProxyAgent(proxy, options) : new HttpProxyAgent(proxy, options);
    if (!keepAlive) return create();
    const current = JSON.stringify([proxy, proxyAuthorization, strictSSL]);
    if (current !== this.#settings) {
      this.#agents.clear();
      this.#settings = current;
    }
    const agent = this.#agents.get(url.protocol) ?? create();
    this.#agents.set(url.protocol, agent);
    return agent;
  }
}

export interface ProxyRoute extends Route {
  /** The proxy as messages name it; empty without one. */
  readonly proxyShown: string;
}

/** The connection for an address; `keep` allows one that was used before. */
export function routeTo(
  url: URL,
  settings: NetworkSettings,
  proxies: ProxyAgents,
  keep: boolean,
): ProxyRoute {
  const fresh = () => (url.protocol === "https:" ? new https.Agent() : new http.Agent());
  // On this machine a new connection costs nothing, and llama.cpp closes kept ones after every stream.
  // Certificates of this machine are checked too: only the setting for remote hosts can switch that off.
  if (isLoopback(url)) return { agent: fresh(), proxyShown: "", checkCertificate: true };
  const { proxy, strictSSL } = settings;
  if (proxy === undefined || !URL.canParse(proxy) || bypassesProxy(url, settings.noProxy)) {
    return { agent: keep ? undefined : fresh(), proxyShown: "", checkCertificate: strictSSL };
  }
  return {
    agent: proxies.get(url, proxy, settings, keep),
    proxyShown: shown(new URL(proxy)),
    checkCertificate: strictSSL,
  };
}
