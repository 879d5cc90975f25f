/** `codescaler syntax`: the other side of syntax-thread.ts, which runs it in a worker thread and not as a process. */
import { parentPort } from "node:worker_threads";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { serveRequests } from "../../shared/threads/serve-requests.ts";
import { UsageError } from "../cli/arguments.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder } from "../files/package-files.ts";
import { answerSyntax, type SyntaxReply, type SyntaxRequest } from "./syntax-requests.ts";

export const usage = "Not for people: the server runs it in a thread.";

export async function run(): Promise<number> {
  if (parentPort === null) throw new UsageError("syntax runs only in a thread of the server.");
  const syntax = await wasmRuntime({ grammarDir: grammarFolder });
  serveRequests<SyntaxRequest, SyntaxReply>(
    parentPort,
    (request, step) => answerSyntax(request, syntax, step),
    (error) => (error instanceof ServiceError ? error.code : undefined),
  );
  return 0;
}
