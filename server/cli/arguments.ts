/** Shared by all commands: the error of wrong usage, and reading of options and files. */
import { readFile } from "node:fs/promises";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ServiceError } from "../errors.ts";

/** The command line itself is wrong: exit code 2, the sentence, and where the help is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One command: its help text and what it does; resolves to the exit code. */
export interface Command {
  readonly usage: string;
  run(args: string[]): Promise<number>;
}

/**
 * Parses options strictly.
 * @throws UsageError for an unknown option or a missing value
 */
export function readArgs<const T extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: T,
) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split("\n")[0] : String(error));
  }
}

/**
 * A whole number of an option.
 * @throws UsageError when it is none or out of range
 */
export function wholeNumber(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not "${value}".`);
}

/**
 * A number of an option.
 * @throws UsageError when it is none or out of range
 */
export function decimal(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (value.trim() !== "" && number >= least && number <= most) return number;
  throw new UsageError(`--${name} must be a number from ${least} to ${most}, not "${value}".`);
}

/**
 * One of the known values of an option.
 * @throws UsageError when it is another
 */
export function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  throw new UsageError(`--${name} must be ${known.join(", ")}, not "${value}".`);
}

/**
 * Text of a file, or of stdin for "-". Bytes that are not UTF-8 are refused: scoring them would score noise.
 * @throws ServiceError when it cannot be read
 */
export async function readText(path: string): Promise<string> {
  const bytes = path === "-" ? await readStdin() : await readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ServiceError("invalid_request", `${path === "-" ? "The input" : path} is not UTF-8 text.`, {
      cause: error,
    });
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ServiceError("invalid_request", `${path} cannot be read (${reasonOf(error)}).`, {
      cause: error,
    });
  }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Why a system call failed, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is no folder",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
  };
  return words[code] ?? (code || String(error));
}
