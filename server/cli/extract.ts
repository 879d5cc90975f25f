/** `codescaler extract`: what program a reply contains, and why; one reply or a batch of lines. */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { MODES, type Mode } from "../../shared/contract.ts";
import { extract } from "../../shared/syntax/extract/extract.ts";
import { LANGUAGES, type Language, languageOf } from "../../shared/syntax/languages/languages.ts";
import { type SyntaxRuntime, wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { ServiceError } from "../errors.ts";
import { grammarFolder } from "../files/package-files.ts";
import { oneOf, readArgs, readText, reasonOf, UsageError } from "./arguments.ts";

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
  let number = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (line.trim() === "") continue;
    const { id, text, language } = parseLine(line, number);
    const result = await extract(text, { language: language ?? fallback, mode }, syntax);
    if (!process.stdout.write(`${JSON.stringify({ id, ...result })}\n`)) await once(process.stdout, "drain");
  }
  return 0;
}

/** Lines of a file or of stdin, one at a time; a byte order mark at its start is no part of the first. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for await (const chunk of input) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    yield rest + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError)
      throw new ServiceError("invalid_request", `${file} is not UTF-8 text.`, { cause: error });
    if (error instanceof Error && "syscall" in error) {
      throw new ServiceError("invalid_request", `${file} cannot be read (${reasonOf(error)}).`, {
        cause: error,
      });
    }
    throw error;
  }
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
  const name = "language" in value && typeof value.language === "string" ? value.language : undefined;
  const language = name === undefined ? undefined : languageOf(name);
  if (name !== undefined && language === undefined) {
    throw new ServiceError(
      "invalid_request",
      `Line ${number} names the unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`,
    );
  }
  return { id: "id" in value ? value.id : null, text: value.text, language };
}

function knownLanguage(name: string): Language {
  const language = languageOf(name);
  if (language) return language;
  throw new UsageError(`Unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`);
}
