/** Where a server listens, and under which names it may be addressed. */
import { hostname, networkInterfaces } from "node:os";
import type { FastifyInstance } from "fastify";
import { ServiceError } from "../../errors.ts";
import { reasonOf } from "../arguments.ts";

/**
 * Begins to listen.
 * @returns the address, as http://HOST:PORT
 * @throws ServiceError invalid_request
 */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") {
      throw new ServiceError(
        "invalid_request",
        `Port ${port} is in use. Choose another with --port, or 0 for any free one.`,
      );
    }
    throw new ServiceError(
      "invalid_request",
      `The server cannot listen on ${host}:${port} (${reasonOf(error)}).`,
      { cause: error },
    );
  }
}

/** Names under which the server may be addressed: loopback, and what it listens on. */
export function hostNames(host: string): ReadonlySet<string> {
  const names = new Set(["127.0.0.1", "localhost", "[::1]", bracketed(host)]);
  if (host === "0.0.0.0" || host === "::") {
    // Listening everywhere means under every address and the name of this machine.
    names.add(hostname().toLowerCase());
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address } of addresses ?? []) names.add(bracketed(address));
    }
  }
  return names;
}

/** A Host header has IPv6 addresses in brackets. */
function bracketed(host: string): string {
  return host.includes(":") ? `[${host.toLowerCase()}]` : host.toLowerCase();
}
