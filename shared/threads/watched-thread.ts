/**
 * A thread whose work is watched. What it runs cannot pause: a parser or a pattern that meets a hostile text may take
 * for ever. A step that does not end ends the thread; its request fails, and a new one answers the others.
 */
import type { Worker } from "node:worker_threads";
import type { FromThread, ToThread } from "./messages.ts";

/** A step, or all steps of a request together, took longer than they may. */
export class TooHard extends Error {
  readonly what: "step" | "request";
  /** What the step was about. */
  readonly about: string | undefined;
  constructor(what: "step" | "request", about: string | undefined) {
    super(`A ${what} took longer than it may.`);
    this.name = "TooHard";
    this.what = what;
    this.about = about;
  }
}

export interface ThreadOptions {
  /** Starts the thread, which must call `serveRequests`. */
  readonly start: () => Worker;
  /** Longest time of a step, in milliseconds. */
  readonly stepMs: number;
  /** Longest time of all steps of a request, in milliseconds. */
  readonly requestMs: number;
  /** The failure of a request when the thread is closed. */
  readonly closed: () => Error;
  /** The failure of a request at which the thread ended by itself, as for want of memory. */
  readonly lost: (cause: Error | undefined) => Error;
  /** The failure that the thread reports. */
  readonly failed: (code: string | undefined, message: string) => Error;
}

export interface WatchedThread<Request, Reply> {
  /**
   * Has a request answered; waits until the thread is ready.
   * @throws TooHard, the signal's reason, and the failures of the options
   */
  run(request: Request, signal?: AbortSignal): Promise<Reply>;
  /** Settles when the first thread can work. Rejects when it cannot be started. */
  readonly ready: Promise<void>;
  /** Ends the thread; requests that still wait fail. */
  close(): Promise<void>;
}

interface Waiting<Request, Reply> {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (reason: unknown) => void;
  /** How often one of its steps was seen. */
  looks: number;
}

/** How often the watch looks. It counts looks, not time: a machine that slept has not worked. */
const LOOKS_PER_STEP = 10;

/** In place of the step of a thread that is being ended. */
const NOBODY = { id: -1, about: undefined, looks: Number.NEGATIVE_INFINITY };

/** Starts the thread. It does not keep the process alive. */
export function startWatchedThread<Request, Reply>(options: ThreadOptions): WatchedThread<Request, Reply> {
  const waiting = new Map<number, Waiting<Request, Reply>>();
  let next = 0;
  let closed = false;
  /** The step that the thread is at, and how often it was seen there. */
  let current: { readonly id: number; readonly about: string | undefined; looks: number } | undefined;
  let thread: Promise<Worker> | undefined = start();
  let watch: NodeJS.Timeout | undefined;
  const lookMs = options.stepMs / LOOKS_PER_STEP;

  function start(): Promise<Worker> {
    return new Promise((resolve, reject) => {
      const worker = options.start();
      let ready = false;
      let failure: Error | undefined;
      worker.on("message", (message: FromThread<Reply>) => {
        if (message.kind === "ready") {
          ready = true;
          worker.unref();
          return resolve(worker);
        }
        if (message.kind === "step") {
          if (current !== NOBODY) current = { id: message.id, about: message.about, looks: 0 };
          return;
        }
        if (current?.id === message.id) current = undefined;
        const request = waiting.get(message.id);
        if (message.kind === "done") request?.resolve(message.reply);
        else request?.reject(options.failed(message.code, message.message));
      });
      worker.on("error", (error) => {
        failure = error;
      });
      worker.on("exit", () => {
        const at = current;
        current = undefined;
        thread = undefined;
        const reason = closed ? options.closed() : options.lost(failure);
        reject(reason);
        if (ready && !closed && at !== undefined) {
          waiting.get(at.id)?.reject(reason);
          waiting.delete(at.id);
          for (const id of waiting.keys()) send(id);
        } else for (const request of waiting.values()) request.reject(reason);
      });
    });
  }

  /** Gives the thread a request, or a new thread the request of one that ended. */
  function send(id: number): void {
    thread ??= start();
    thread.then(
      (worker) => {
        const request = waiting.get(id)?.request;
        if (request !== undefined)
          worker.postMessage({ kind: "run", id, request } satisfies ToThread<Request>);
      },
      (reason: unknown) => waiting.get(id)?.reject(reason),
    );
  }

  function look(): void {
    if (current === undefined) return;
    const { id, about } = current;
    const request = waiting.get(id);
    if (++current.looks > LOOKS_PER_STEP) {
      waiting.delete(id);
      request?.reject(new TooHard("step", about));
      current = NOBODY;
      // Its exit has the others answered by a new one.
      thread?.then((worker) => worker.terminate()).catch(() => {});
    } else if (request !== undefined && ++request.looks * lookMs > options.requestMs) {
      request.reject(new TooHard("request", about));
      tell({ kind: "cancel", id });
    }
  }

  function tell(message: ToThread<Request>): void {
    thread?.then((worker) => worker.postMessage(message)).catch(() => {});
  }

  async function run(request: Request, signal?: AbortSignal): Promise<Reply> {
    signal?.throwIfAborted();
    if (closed) throw options.closed();
    const id = next++;
    let cancel: (() => void) | undefined;
    watch ??= setInterval(look, lookMs).unref();
    try {
      return await new Promise<Reply>((resolve, reject) => {
        waiting.set(id, { request, resolve, reject, looks: 0 });
        cancel = () => {
          reject(signal?.reason);
          tell({ kind: "cancel", id });
        };
        signal?.addEventListener("abort", cancel, { once: true });
        send(id);
      });
    } finally {
      waiting.delete(id);
      if (cancel) signal?.removeEventListener("abort", cancel);
      // A step may still run that nobody waits for any more.
      if (waiting.size === 0 && current === undefined) {
        clearInterval(watch);
        watch = undefined;
      }
    }
  }

  const ready = thread.then(() => {});
  // Whoever waits for it gets the failure; the process must not end for it.
  ready.catch(() => {});
  return {
    run,
    ready,
    close: async () => {
      closed = true;
      clearInterval(watch);
      const worker = await thread?.catch(() => undefined);
      await worker?.terminate();
    },
  };
}
