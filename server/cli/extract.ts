/** `codescaler extract`: what program a reply contains, and why; one reply or a batch of lines. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { MODES, type Mode } from "../contract.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder } from "../paths.ts";
import { extract } from "../syntax/extract.ts";
import { LANGUAGES, type Language, languageOf } from "../syntax/languages.ts";
import { type SyntaxRuntime, wasmRuntime } from "../syntax/parser.ts";
import { oneOf, readArgs, readText, reasonOf, UsageError } from "./usage.ts";

export const usage = `Usage: codescaler extract [options] FILE
       codescaler extract [options] --jsonl FILE

Prints the program in a model's reply ("-" = stdin), or for a batch of lines {"id","text","language"?}
a line {"id", …result} each, in order.

  --language L   language of the program (default: guessed)
  --mode MODE    lenient (default): the best program in the reply; strict: exactly one fenced block that parses
  --json         print the whole result as JSON: code, valid, origin, blocks, reason, diagnostics
  --jsonl FILE   the batch`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    language: { type: "string" },
    mode: { type: "string", default: "lenient" },
    json: { type: "boolean", default: false },
    jsonl: { type: "string" },
  });
  const mode = oneOf("mode", values.mode, MODES);
  const language = values.language === undefined ? undefined : knownLanguage(values.language);
  const syntax = await wasmRuntime({ grammarDir: grammarFolder });
  if (values.jsonl !== undefined) {
    if (positionals.length > 0) throw new UsageError("Give either FILE or --jsonl FILE.");
    return batch(values.jsonl, mode, language, syntax);
  }
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new UsageError("extract needs exactly one FILE.");
  const result = await extract(await readText(file), { language, mode }, syntax);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write(result.code === "" || result.code.endsWith("\n") ? result.code : `${result.code}\n`);
    const verdict = result.valid ? "valid" : "not valid";
    process.stderr.write(
      `${result.language || "unknown language"}, ${verdict}, from ${result.origin}${result.reason ? `: ${result.reason}` : ""}\n`,
    );
  }
  return 0;
}

async function batch(
  file: string,
  mode: Mode,
  fallback: Language | undefined,
  syntax: SyntaxRuntime,
): Promise<number> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line.trim() === "") continue;
      const { id, text, language } = parseLine(line, number);
      const result = await extract(text, { language: language ?? fallback, mode }, syntax);
      if (!process.stdout.write(`${JSON.stringify({ id, ...result })}\n`)) {
        await new Promise((resolve) => process.stdout.once("drain", resolve));
      }
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError("invalid_request", `${file} cannot be read (${reasonOf(error)}).`, {
      cause: error,
    });
  }
  return 0;
}

function parseLine(
  line: string,
  number: number,
): { id: unknown; text: string; language: Language | undefined } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ServiceError("invalid_request", `Line ${number} is not JSON.`);
  }
  if (typeof value !== "object" || value === null || !("text" in value) || typeof value.text !== "string") {
    throw new ServiceError("invalid_request", `Line ${number} needs "text", a string.`);
  }
  const language =
    "language" in value && typeof value.language === "string" ? knownLanguage(value.language) : undefined;
  return { id: "id" in value ? value.id : null, text: value.text, language };
}

function knownLanguage(name: string): Language {
  const language = languageOf(name);
  if (language) return language;
  throw new UsageError(`Unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`);
}
