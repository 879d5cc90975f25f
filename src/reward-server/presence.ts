/** A window's standing connection to the server that all windows share: while it is open, the window counts. */
import { type Agent, request } from "node:http";
import type { ErrorCode, Presence } from "../../shared/contract.ts";
import { onLines } from "../base/node-process.ts";
import type { ServerEndpoint } from "../ranking/server-client.ts";

export interface PresenceEvents {
  /** How the server is: told at once and at every change. */
  onPresence(presence: Presence): void;
  /** The connection ended, or never came to be. Called once, and not after `close`. */
  onEnd(): void;
}

const STATES: readonly Presence["state"][] = ["loading", "ready", "unloaded", "draining", "failed"];

/** @returns a function that closes it */
export function attend(endpoint: ServerEndpoint, agent: Agent, events: PresenceEvents): () => void {
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    events.onEnd();
  };
  const open = request(new URL("/v1/presence", endpoint.url), {
    agent,
    headers: { Authorization: `Bearer ${endpoint.token}` },
  });
  open.on("response", (response) => {
    response.setEncoding("utf8");
    // A connection that broke says so twice; its end is all that counts.
    response.on("error", () => {});
    response.once("close", end);
    onLines(response, (line) => {
      const presence = presenceIn(line);
      if (presence && !over) events.onPresence(presence);
    });
  });
  open.once("error", end);
  open.once("close", end);
  open.end();
  return () => {
    over = true;
    open.destroy();
  };
}

function presenceIn(line: string): Presence | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("state" in value)) return undefined;
  const state = STATES.find((known) => known === value.state);
  const model = "model" in value && typeof value.model === "string" ? value.model : null;
  const problem = "problem" in value && typeof value.problem === "string" ? value.problem : undefined;
  const code = "code" in value && isErrorCode(value.code) ? value.code : undefined;
  const reason = "reason" in value && typeof value.reason === "string" ? value.reason : undefined;
  return (
    state && {
      state,
      model,
      ...(problem !== undefined && { problem }),
      ...(code !== undefined && { code }),
      ...(reason !== undefined && { reason }),
    }
  );
}

/** A newer server may know more codes than this window: what those mean is told in the server's own words. */
function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string";
}
