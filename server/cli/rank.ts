/** `codescaler rank`: ranks raw completions, best first. */

import { MODES, type RankReply, rankRequest } from "../../shared/contract.ts";
import { LANGUAGES, languageOf } from "../../shared/syntax/languages/languages.ts";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder } from "../files/package-files.ts";
import { findModel } from "../models/find-model.ts";
import { openModel } from "../ranking/load-judge.ts";
import { programReader } from "../ranking/programs.ts";
import { rank } from "../ranking/rank.ts";
import { EngineStates } from "../remote/engine-states.ts";
import { oneOf, readArgs, readText, UsageError } from "./arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "./engine-options.ts";
import { checkLine } from "./models/output.ts";
import { formatTable } from "./table.ts";

export const usage = `Usage: codescaler rank --task FILE [options] CANDIDATE…
       codescaler rank --prefix FILE --suffix FILE --language L [options] CANDIDATE…

Ranks completions with a reward model and prints them best first. A candidate is a file with a raw reply
(Markdown or bare code), or, with --prefix and --suffix, with the text for the cursor between them.

  --task FILE          the problem in words ("-" = stdin)
  --prefix, --suffix   text before and after the cursor
  --path P             path of the edited file, as the model should see it
  --instruction FILE   what is wanted at the cursor, in words
  --candidates FILE    JSON lines {"id","text"} instead of files
  --language L         language of the program (default: guessed; needed at a cursor)
  --mode MODE          lenient (default) or strict: exactly one fenced block that parses
  --criterion C        what a Themis model judges by (default: general quality)
${ENGINE_USAGE}
  --json               print the reply of POST /v1/rank instead of a table`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    ...ENGINE_ARGS,
    task: { type: "string" },
    prefix: { type: "string" },
    suffix: { type: "string" },
    path: { type: "string" },
    instruction: { type: "string" },
    candidates: { type: "string" },
    language: { type: "string" },
    mode: { type: "string", default: "lenient" },
    criterion: { type: "string" },
    json: { type: "boolean", default: false },
  });
  const task = await readTask(values);
  const candidates = await readCandidates(values.candidates, positionals);
  const parsed = rankRequest.safeParse({
    task,
    candidates,
    mode: oneOf("mode", values.mode, MODES),
    criterion: values.criterion,
  });
  if (!parsed.success) {
    throw new ServiceError("invalid_request", parsed.error.issues[0]?.message ?? "The input is not usable.");
  }
  if (values.language !== undefined && languageOf(values.language) === undefined) {
    throw new UsageError(`--language must be one of ${LANGUAGES.join(", ")}, not "${values.language}".`);
  }
  const options = engineOptions(values);
  const controller = cancelOnInterrupt();
  const model = await findModel(values.model, options.remote !== undefined);
  process.stderr.write(`Ranking ${candidates.length} candidates with ${model.id} …\n`);
  const engines = new EngineStates();
  const scorer = await openModel(model.id, model.path, {
    ...options,
    onCheck: checkLine(),
    remote: options.remote && { ...options.remote, onChange: (state) => engines.set(state) },
  });
  for (const sentence of engines.leftOut) process.stderr.write(`${sentence}\n`);
  try {
    const syntax = await wasmRuntime({ grammarDir: grammarFolder });
    const reply = await rank(parsed.data, scorer, programReader(syntax), controller.signal);
    process.stdout.write(values.json ? `${JSON.stringify(reply)}\n` : describe(reply));
    return 0;
  } finally {
    await scorer.close();
  }
}

/** Ctrl-C stops the work before the next batch; a second one ends the process. */
function cancelOnInterrupt(): AbortController {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new ServiceError("cancelled", "Cancelled.")));
  return controller;
}

async function readTask(values: {
  readonly task?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly path?: string | undefined;
  readonly instruction?: string | undefined;
  readonly language?: string | undefined;
}): Promise<object> {
  const { language } = values;
  if (values.prefix !== undefined || values.suffix !== undefined) {
    if (values.task !== undefined) throw new UsageError("Give either --task, or --prefix and --suffix.");
    if (language === undefined) throw new UsageError("Candidates at a cursor need --language.");
    return {
      prefix: values.prefix === undefined ? "" : await readText(values.prefix),
      suffix: values.suffix === undefined ? "" : await readText(values.suffix),
      language,
      path: values.path,
      instruction: values.instruction === undefined ? undefined : await readText(values.instruction),
    };
  }
  if (values.task === undefined) throw new UsageError("rank needs --task FILE, or --prefix and --suffix.");
  return { question: await readText(values.task), ...(language !== undefined && { language }) };
}

async function readCandidates(
  jsonl: string | undefined,
  files: readonly string[],
): Promise<{ readonly id: string; readonly text: string; readonly logprobs?: unknown }[]> {
  if (jsonl === undefined) {
    if (files.length === 0) throw new UsageError("rank needs candidates: files, or --candidates FILE.jsonl.");
    return Promise.all(files.map(async (file) => ({ id: file, text: await readText(file) })));
  }
  if (files.length > 0) throw new UsageError("Give candidates either as files or with --candidates.");
  const lines = (await readText(jsonl)).replace(/^\ufeff/, "").split("\n");
  return lines.flatMap((line, index) => {
    if (line.trim() === "") return [];
    const value = parseLine(line, jsonl, index + 1);
    if ("id" in value && typeof value.id === "string" && "text" in value && typeof value.text === "string") {
      const { id, text } = value;
      // Whether it is one is for the schema of the request to say.
      return [{ id, text, ...("logprobs" in value && { logprobs: value.logprobs }) }];
    }
    throw new ServiceError(
      "invalid_request",
      `Line ${index + 1} of ${jsonl} needs "id" and "text", both strings.`,
    );
  });
}

function parseLine(line: string, file: string, number: number): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Falls through to the same sentence as a line that is JSON but no object.
  }
  throw new ServiceError("invalid_request", `Line ${number} of ${file} is not a JSON object.`);
}

function describe(reply: RankReply): string {
  const rows = reply.candidates.map((candidate) => [
    String(candidate.rank),
    candidate.id,
    candidate.reward === null ? "–" : candidate.reward.toFixed(3),
    candidate.probability === null ? "–" : `${Math.round(candidate.probability * 100)} %`,
    candidate.reason ??
      [
        candidate.duplicates.length > 0 && `same program: ${candidate.duplicates.join(", ")}`,
        candidate.truncated && "shortened to fit the model",
      ]
        .filter(Boolean)
        .join("; "),
  ]);
  const table = formatTable(["rank", "candidate", "reward", "right?", "note"], rows);
  const { model, usage: tokens, timings } = reply;
  return `${table}\nPredicted by ${model.id} (${model.type}) on ${model.device}: ${tokens.unique_tokens} of ${tokens.total_tokens} tokens decoded, ${timings.total_ms.toFixed(0)} ms. Rewards are predictions, not proofs.\n`;
}
