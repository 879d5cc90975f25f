/**
 * Syntax in a thread of its own. A parser cannot pause: a hostile candidate keeps it busy for half a second, in which
 * the event loop must answer everyone else.
 */
import { Worker } from "node:worker_threads";
import type { ErrorCode } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import { serverScript } from "../files/package-files.ts";
import type { ProgramReader, ProgramRequest, Programs } from "./programs.ts";

/** What the thread is told. */
export type ToThread =
  | { readonly kind: "read"; readonly id: number; readonly request: ProgramRequest }
  | { readonly kind: "cancel"; readonly id: number };

/** What it answers; `ready` once, before everything else. */
export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "programs"; readonly id: number; readonly programs: Programs }
  /** Without a code it was no failure that a person can do something about. */
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: ErrorCode | undefined;
      readonly message: string;
    };

interface Waiting {
  readonly resolve: (programs: Programs) => void;
  readonly reject: (reason: unknown) => void;
}

export interface SyntaxThread {
  /** Waits until the thread is ready. */
  readonly read: ProgramReader;
  /** Settles when the thread can parse. Rejects when the parser cannot be loaded. */
  readonly ready: Promise<void>;
  /** Ends the thread; requests that still wait fail. */
  close(): Promise<void>;
}

/**
 * Starts the thread. When it ends by itself, as for want of memory, its requests fail and the next one starts another.
 * It does not keep the process alive.
 */
export function startSyntaxThread(): SyntaxThread {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let closed = false;
  let worker: Promise<Worker> | undefined = start();

  function start(): Promise<Worker> {
    return new Promise((resolve, reject) => {
      const thread = new Worker(serverScript, { argv: ["syntax"] });
      let failure: Error | undefined;
      thread.on("message", (message: FromThread) => {
        if (message.kind === "ready") {
          thread.unref();
          return resolve(thread);
        }
        const request = waiting.get(message.id);
        if (message.kind === "programs") request?.resolve(message.programs);
        else {
          const { code, message: text } = message;
          request?.reject(code === undefined ? new Error(text) : new ServiceError(code, text));
        }
      });
      thread.on("error", (error) => {
        failure = error;
      });
      thread.on("exit", () => {
        worker = undefined;
        const reason = closed
          ? new ServiceError("restarting", "The server is shutting down. Send the request again.")
          : new ServiceError("internal", "The parser ended unexpectedly. Send the request again.", {
              cause: failure,
            });
        reject(reason);
        for (const request of waiting.values()) request.reject(reason);
      });
    });
  }

  const read: ProgramReader = async ({ task, candidates, mode }, signal) => {
    signal?.throwIfAborted();
    if (closed) throw new ServiceError("restarting", "The server is shutting down. Send the request again.");
    worker ??= start();
    const thread = await worker;
    // An abort that came meanwhile is told to no listener.
    signal?.throwIfAborted();
    const id = next++;
    const send = (message: ToThread) => thread.postMessage(message);
    let cancel: (() => void) | undefined;
    try {
      return await new Promise<Programs>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        cancel = () => {
          send({ kind: "cancel", id });
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", cancel, { once: true });
        send({ kind: "read", id, request: { task, candidates, mode } });
      });
    } finally {
      waiting.delete(id);
      if (cancel) signal?.removeEventListener("abort", cancel);
    }
  };

  const ready = worker.then(() => {});
  // Whoever waits for it is told; the process must not end for it.
  ready.catch(() => {});
  return {
    read,
    ready,
    close: async () => {
      closed = true;
      const thread = await worker?.catch(() => undefined);
      await thread?.terminate();
    },
  };
}
