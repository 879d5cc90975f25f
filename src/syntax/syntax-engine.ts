/**
 * The syntax thread of the extension. Everything that parses is in it, two fifths of the extension's code: the build makes
 * a file of its own of it, which is loaded with the first completion.
 */
import { parentPort, workerData } from "node:worker_threads";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { serveRequests } from "../../shared/threads/serve-requests.ts";
import { answerQuestion } from "./answer-question.ts";
import type { Answer, Question } from "./questions.ts";

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const { grammarDir }: { readonly grammarDir: string } = workerData;
  const runtime = await wasmRuntime({ grammarDir });
  serveRequests<Question, Answer>(port, (question, step) => answerQuestion(question, runtime, step));
}

if (parentPort !== null) void serve(parentPort);
