/** What a window makes of its settings, and of what it hears of the server that all windows share. Pure. */
import type { Presence } from "../../shared/contract.ts";
import type { Lease } from "../../shared/sharing/lease.ts";
import { RankError } from "../ranking/server-client.ts";
import type { ServerOptions, ServerState } from "./server-interface.ts";

/**
 * The command line of a server with these options.
 * @param replaces process of a server that it takes over from, although that is good
 */
export function serveArguments(options: ServerOptions, replaces: number | undefined): readonly string[] {
  const { engines, model, device, unloadAfter } = options;
  const args = ["serve", "--shared", "--device", device, "--unload-after", String(60 * unloadAfter)];
  if (model !== "") args.push("--model", model);
  for (const engine of engines) args.push("--engine", engine);
  if (replaces !== undefined) args.push("--replaces", String(replaces));
  return args;
}

/** What a window shows when a server tells how it is. */
export function stateFrom(presence: Presence, url: string, version: string): ServerState {
  const { state, model, problem, code, reason } = presence;
  switch (state) {
    case "loading":
      return { kind: "starting" };
    case "ready":
    case "unloaded": {
      const slower = reason !== undefined && { reason };
      return { kind: "ready", url, own: false, model: model ?? "", version, ...slower };
    }
    case "draining":
      return { kind: "stopped" };
    case "failed": {
      const words = problem ?? "The reward server failed to start.";
      return { kind: "failed", problem: new RankError(code ?? "unreachable", words) };
    }
    default:
      return state satisfies never;
  }
}

/** What a window has when its settings change. */
export interface Present {
  readonly state: ServerState["kind"];
  /** Address of the user's own server, when that is used. */
  readonly ownUrl: string | undefined;
  /** Of the shared server that is joined, and the folder it lies in. */
  readonly lease: Lease | undefined;
  readonly folder: string;
}

/**
 * What changed settings ask for:
 * - `forget` a failure: other options deserve a fresh try, when someone needs it;
 * - `move` to the shared server of these options; the present one goes on for the windows that want it;
 * - `restart`: replace the shared server, or connect to the user's other one;
 * - `connect` to the user's own server, and leave the shared one.
 */
export type Change = "nothing" | "forget" | "move" | "restart" | "connect";

/** @param folder where the lease of a shared server with the wanted options lies */
export function changeFor(present: Present, wanted: ServerOptions, folder: string): Change {
  const { state, ownUrl, lease } = present;
  const shared = wanted.url === "";
  const moved = ownUrl !== undefined && ownUrl !== wanted.url;
  if (state === "failed" || state === "down") return "forget";
  if (shared && (moved || (lease !== undefined && present.folder !== folder))) return "move";
  if (moved || (shared && lease !== undefined && wanted.device !== lease.device)) return "restart";
  return lease !== undefined && !shared ? "connect" : "nothing";
}
