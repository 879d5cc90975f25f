/** The thread's side: requests that take turns, a step each, and say which step they are at. */
import type { MessagePort } from "node:worker_threads";
import type { FromThread, ToThread } from "./messages.ts";
import { createPacer, type Step } from "./step.ts";

/** How a request is worked on. */
export type Work<Request, Reply> = (request: Request, step: Step) => Promise<Reply>;

/**
 * Answers requests until the thread is ended.
 * @param codeOf the code of a failure that a person can do something about
 */
export function serveRequests<Request, Reply>(
  port: MessagePort,
  work: Work<Request, Reply>,
  codeOf: (error: unknown) => string | undefined = () => undefined,
): void {
  const running = new Map<number, AbortController>();
  const send = (message: FromThread<Reply>) => port.postMessage(message);
  const pause = createPacer();
  // One step at a time: whoever watches must know whose step it is that does not end.
  let turn: Promise<unknown> = Promise.resolve();
  const stepsOf =
    (id: number, signal: AbortSignal): Step =>
    (about, run) => {
      const mine = turn.then(async () => {
        await pause();
        signal.throwIfAborted();
        send({ kind: "step", id, about });
        return run();
      });
      turn = mine.catch(() => {});
      return mine;
    };
  port.on("message", async (message: ToThread<Request>) => {
    const { id } = message;
    if (message.kind === "cancel") return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    try {
      send({ kind: "done", id, reply: await work(message.request, stepsOf(id, controller.signal)) });
    } catch (error) {
      send({
        kind: "failed",
        id,
        code: codeOf(error),
        message: error instanceof Error ? error.message : String(error),
      });
    } finally {
      running.delete(id);
    }
  });
  send({ kind: "ready" });
}
