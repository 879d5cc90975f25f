/** `codescaler mcp`: the tools of server/mcp over stdin and stdout, for an agent that starts this process. */
import { once } from "node:events";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { extract } from "../../shared/syntax/extract/extract.ts";
import { LANGUAGES, languageOf } from "../../shared/syntax/languages/languages.ts";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder, mediaFolder } from "../files/package-files.ts";
import { createToolServer } from "../mcp/tools.ts";
import { findInstalled, findModel } from "../models/find-model.ts";
import { ModelHost } from "../models/model-host.ts";
import { openStore } from "../models/store.ts";
import { readJudge } from "../ranking/load-judge.ts";
import { rank } from "../ranking/rank.ts";
import { startSyntaxThread } from "../ranking/syntax-thread.ts";
import { builtInSource } from "../writing/built-in-source.ts";
import { writerHost } from "../writing/writer-host.ts";
import { readArgs } from "./arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "./engine-options.ts";
import { WRITER_ARGS, WRITER_USAGE, writerOptions } from "./writer-options.ts";

export const usage = `Usage: codescaler mcp [options]

Speaks the Model Context Protocol on stdin and stdout, for agents: the tools rank_candidates, best_of_n and
extract_code. The judge is loaded by the first call that needs it, and unloaded after five minutes without one.

${WRITER_USAGE}
${ENGINE_USAGE}`;

/** Minutes of an agent's thinking are no reason to hold gigabytes. */
const UNLOAD_MS = 5 * 60_000;

export async function run(args: string[]): Promise<number> {
  const { values } = readArgs(args, { ...ENGINE_ARGS, ...WRITER_ARGS });
  const options = engineOptions(values);
  const remote = options.remote !== undefined;
  const store = openStore(mediaFolder);
  const model = await findModel(values.model, remote);
  const host = new ModelHost(
    { find: async (name) => (name === model.id ? model : findInstalled(store, name, remote)) },
    model.id,
    readJudge(options),
  );
  const writers = writerHost(options, values.writer);
  const { bestOf, source = builtInSource(writers) } = writerOptions(values);
  const syntax = startSyntaxThread();
  const runtime = await wasmRuntime({ grammarDir: grammarFolder });
  let idle: NodeJS.Timeout | undefined;
  const server = createToolServer({
    source,
    bestOf,
    rank: async (request, signal) => {
      clearTimeout(idle);
      try {
        return await host.use(request.model, (scorer) => rank(request, scorer, syntax.read, signal));
      } finally {
        idle = setTimeout(() => {
          void host.unload();
          void writers.unload();
        }, UNLOAD_MS).unref();
      }
    },
    extract: async (text, name, mode) => {
      const language = name === undefined ? undefined : languageOf(name);
      if (name !== undefined && language === undefined) {
        throw new ServiceError(
          "invalid_request",
          `Unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`,
        );
      }
      return extract(text, { language, mode }, runtime);
    },
  });
  await server.connect(new StdioServerTransport());
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race([
    once(process.stdin, "end", { signal }),
    once(process, "SIGINT", { signal }),
    once(process, "SIGTERM", { signal }),
  ]);
  ended.abort();
  await Promise.all([server.close(), host.close(), writers.close(), syntax.close()]);
  return 0;
}
