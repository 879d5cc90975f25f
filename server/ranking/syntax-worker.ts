/** `codescaler syntax`: the other side of syntax-thread.ts, which runs it in a worker thread and not as a process. */
import { parentPort } from "node:worker_threads";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { UsageError } from "../cli/usage.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder } from "../files/package-files.ts";
import { programReader } from "./programs.ts";
import type { FromThread, ToThread } from "./syntax-thread.ts";

export const usage = "Not for people: the server runs it in a thread.";

export async function run(): Promise<number> {
  const port = parentPort;
  if (port === null) throw new UsageError("syntax runs only in a thread of the server.");
  const read = programReader(await wasmRuntime({ grammarDir: grammarFolder }));
  const running = new Map<number, AbortController>();
  const send = (message: FromThread) => port.postMessage(message);
  port.on("message", async (message: ToThread) => {
    const { id } = message;
    if (message.kind === "cancel") return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    try {
      send({ kind: "programs", id, programs: await read(message.request, controller.signal) });
    } catch (error) {
      const code = error instanceof ServiceError ? error.code : undefined;
      send({ kind: "failed", id, code, message: error instanceof Error ? error.message : String(error) });
    } finally {
      running.delete(id);
    }
  });
  send({ kind: "ready" });
  return 0;
}
