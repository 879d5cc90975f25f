/** `codescaler complete`: samples completions from a code model, and ranks them with --rank. */

import { type CompleteReply, completeRequest } from "../../shared/completion-contract.ts";
import { stopsAt } from "../../shared/syntax/cursor/sample-stop.ts";
import { LANGUAGES, languageOf } from "../../shared/syntax/languages/languages.ts";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder } from "../files/package-files.ts";
import { findModel } from "../models/find-model.ts";
import { openModel } from "../ranking/load-judge.ts";
import { programReader } from "../ranking/programs.ts";
import { rank } from "../ranking/rank.ts";
import { complete } from "../writing/complete.ts";
import { findWriter } from "../writing/find-writer.ts";
import { readWriter } from "../writing/load-writer.ts";
import { decimal, readArgs, readText, UsageError, wholeNumber } from "./arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "./engine-options.ts";
import { checkLine } from "./models/output.ts";

export const usage = `Usage: codescaler complete --prefix FILE --suffix FILE --language L [options]
       codescaler complete --task FILE [--language L] [options]

Writes N completions with a code model on this machine: at a cursor, or as answers to a question. The prompt is read
once for all of them.

  --task FILE          the problem in words ("-" = stdin)
  --prefix, --suffix   text before and after the cursor
  --path P             path of the edited file, as the model should see it
  --context FILE       another file that the model should know; give it once for each
  --language L         language of the code (needed at a cursor)
  --n N                completions, 1 to 32 (default 8)
  --max-tokens T       most tokens of each (default 128)
  --temperature T      0 = always the likeliest token (default 0.8)
  --seed S             the same seed, request and device give the same completions (default: a new one)
  --writer W           a code model's name, or a GGUF file (default: CODESCALER_WRITER, else one that is installed)
  --rank               rank them with the judge (--model) and print them best first
${ENGINE_USAGE}
  --json               print the reply of POST /v1/complete`;

const COMPLETE_ARGS = {
  ...ENGINE_ARGS,
  task: { type: "string" },
  prefix: { type: "string" },
  suffix: { type: "string" },
  path: { type: "string" },
  context: { type: "string", multiple: true },
  language: { type: "string" },
  n: { type: "string" },
  "max-tokens": { type: "string" },
  temperature: { type: "string" },
  seed: { type: "string" },
  writer: { type: "string" },
  rank: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

export async function run(args: string[]): Promise<number> {
  const { values } = readArgs(args, COMPLETE_ARGS);
  if (values.language !== undefined && languageOf(values.language) === undefined) {
    throw new UsageError(`--language must be one of ${LANGUAGES.join(", ")}, not "${values.language}".`);
  }
  const parsed = completeRequest.safeParse({
    task: await readTask(values),
    n: values.n === undefined ? undefined : wholeNumber("n", values.n, 1, 32),
    max_tokens:
      values["max-tokens"] === undefined
        ? undefined
        : wholeNumber("max-tokens", values["max-tokens"], 1, 8192),
    temperature:
      values.temperature === undefined ? undefined : decimal("temperature", values.temperature, 0, 2),
    seed:
      values.seed === undefined ? undefined : wholeNumber("seed", values.seed, 0, Number.MAX_SAFE_INTEGER),
    rank: values.rank,
  });
  if (!parsed.success) {
    throw new ServiceError("invalid_request", parsed.error.issues[0]?.message ?? "The input is not usable.");
  }
  const options = engineOptions(values);
  if (options.remote !== undefined) {
    throw new UsageError("complete writes with a model on this machine: leave --engine out.");
  }
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new ServiceError("cancelled", "Cancelled.")));
  const file = await findWriter(values.writer);
  process.stderr.write(`Writing ${parsed.data.n} completions with ${file.id} …\n`);
  const load = await readWriter(options)(file.id, file.path);
  const writer = await load(() => {});
  try {
    const syntax = await wasmRuntime({ grammarDir: grammarFolder });
    const reply = await complete(parsed.data, writer, {
      stops: ({ texts, ...place }) => stopsAt(place, texts, syntax),
      signal: controller.signal,
      rank: async (request, signal) => {
        const model = await findModel(values.model);
        process.stderr.write(`Ranking them with ${model.id} …\n`);
        const judge = await openModel(model.id, model.path, { ...options, onCheck: checkLine() });
        try {
          return await rank(request, judge, programReader(syntax), signal);
        } finally {
          await judge.close();
        }
      },
    });
    process.stdout.write(values.json ? `${JSON.stringify(reply)}\n` : describe(reply));
    return 0;
  } finally {
    await writer.close();
  }
}

async function readTask(values: {
  readonly task?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly path?: string | undefined;
  readonly context?: readonly string[] | undefined;
  readonly language?: string | undefined;
}): Promise<object> {
  const { language, path } = values;
  if (values.prefix === undefined && values.suffix === undefined) {
    if (values.task === undefined) {
      throw new UsageError("complete needs --task FILE, or --prefix and --suffix.");
    }
    return { question: await readText(values.task), ...(language !== undefined && { language }) };
  }
  if (values.task !== undefined) throw new UsageError("Give either --task, or --prefix and --suffix.");
  if (language === undefined) throw new UsageError("Completions at a cursor need --language.");
  return {
    prefix: values.prefix === undefined ? "" : await readText(values.prefix),
    suffix: values.suffix === undefined ? "" : await readText(values.suffix),
    language,
    path,
    context: await Promise.all(
      (values.context ?? []).map(async (file) => ({ path: file, text: await readText(file) })),
    ),
  };
}

function describe({
  completions,
  ranking,
  writer,
  seed,
  truncated,
  timings,
  usage: used,
}: CompleteReply): string {
  const byId = new Map(completions.map((completion) => [completion.id, completion]));
  const ids = ranking
    ? ranking.candidates.flatMap(({ id, duplicates }) => [id, ...duplicates])
    : completions.map(({ id }) => id);
  const blocks = ids.flatMap((id, index) => {
    const completion = byId.get(id);
    if (!completion) return [];
    const { text, tokens, logprob, finish } = completion;
    const mean = tokens > 0 ? ` · ${(logprob / tokens).toFixed(2)} a token` : "";
    return [`── ${index + 1} · ${tokens} tokens · ended by ${finish}${mean}\n${text.trimEnd()}\n`];
  });
  const cut = truncated ? "The prompt was cut to fit. " : "";
  return (
    `${blocks.join("\n")}\n${cut}${writer.id} (${writer.type}) on ${writer.device}, seed ${seed}: ` +
    `${used.prompt_tokens} tokens read in ${timings.prompt_ms.toFixed(0)} ms, ` +
    `${used.completion_tokens} written in ${timings.sample_ms.toFixed(0)} ms.\n`
  );
}
