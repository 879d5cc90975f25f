/** The engines that the user named: their addresses, and the token that may go there. Pure. */

import { isLoopback } from "../../shared/http/loopback.ts";
import { withoutEnd } from "../../shared/text-end.ts";
import { ServiceError } from "../errors.ts";

export interface EngineTarget {
  /** Base address without a slash at its end; a path of its own is kept. */
  readonly base: string;
  /** How messages name it: host and port, no path, no credentials. */
  readonly host: string;
  readonly token: string | undefined;
  /** Requests that it works on at once, where the user says so. */
  readonly concurrency: number | undefined;
}

/** What may follow an address: `#concurrency=N`. */
const CONCURRENCY = /^#concurrency=([1-9]\d{0,3})$/;

/** Fleets are larger, but not behind one laptop; a list this long is a mistake. */
const MOST = 64;

/**
 * Reads the addresses of engines; one that is named twice counts once.
 * @throws ServiceError invalid_request
 */
export function readTargets(
  addresses: readonly string[],
  token: string | undefined,
): readonly EngineTarget[] {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ServiceError(
      "invalid_request",
      "CODESCALER_ENGINE_TOKEN holds characters that no token has. Set it anew.",
    );
  }
  const targets = new Map<string, EngineTarget>();
  for (const address of addresses) {
    const target = readTarget(address, token);
    targets.set(target.base, target);
  }
  if (targets.size > MOST) {
    throw new ServiceError("invalid_request", `At most ${MOST} engines can be used at once. Leave some out.`);
  }
  return [...targets.values()];
}

function readTarget(address: string, token: string | undefined): EngineTarget {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const concurrency = CONCURRENCY.exec(url?.hash ?? "")?.[1];
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== "" ||
    (url.hash !== "" && concurrency === undefined) ||
    url.username !== "" ||
    url.password !== ""
  ) {
    throw new ServiceError(
      "invalid_request",
      `${JSON.stringify(address.slice(0, 200))} is no address of an engine. Give one like https://gpu.example:8000, without name, password or query; #concurrency=N may follow.`,
    );
  }
  if (token !== undefined && url.protocol === "http:" && !isLoopback(url)) {
    throw new ServiceError(
      "invalid_request",
      `The engines' token would travel unencrypted to ${url.host}. Use an https address (docs/fleet.md shows how), or leave the token out.`,
    );
  }
  // Clients of OpenAI's interface end their base in /v1; vLLM's own routes are beside it.
  const path = withoutEnd(url.pathname, "/").replace(/\/v1$/, "");
  return {
    base: url.origin + path,
    host: url.host,
    token,
    concurrency: concurrency === undefined ? undefined : Number(concurrency),
  };
}
