/** Results of a long run, kept line by line, so that it can go on where it was cut off. */
import { appendFile, readFile } from "node:fs/promises";
import { ServiceError } from "../errors.ts";

/**
 * Does the work for each item, in order, and skips what the file holds already.
 * @param file JSON lines `{"key","value"}`; undefined keeps nothing
 * @param run what the lines belong to: a file of another run is refused
 */
export async function resumable<Item, Value extends object>(
  file: string | undefined,
  run: string,
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Value>,
  onProgress: (done: number) => void,
): Promise<Value[]> {
  const kept = file === undefined ? new Map<number, Value>() : await readKept<Value>(file, run);
  const values: Value[] = [];
  for (const [index, item] of items.entries()) {
    const known = kept.get(index);
    const value = known ?? (await work(item, index));
    // The line before may have been cut off.
    if (known === undefined && file !== undefined)
      await keep(file, `\n${JSON.stringify({ run, index, value })}\n`);
    values.push(value);
    onProgress(index + 1);
  }
  return values;
}

async function keep(file: string, line: string): Promise<void> {
  try {
    await appendFile(file, line);
  } catch (error) {
    throw new ServiceError("disk_failed", `${file} cannot be written. Name another file with --resume.`, {
      cause: error,
    });
  }
}

async function readKept<Value>(file: string, run: string): Promise<Map<number, Value>> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw new ServiceError("invalid_request", `${file} cannot be read.`, { cause: error });
  });
  const kept = new Map<number, Value>();
  for (const line of text.split("\n")) {
    const entry = parsed<Value>(line);
    // A line that was cut off while it was written is done again.
    if (entry === undefined) continue;
    if (entry.run !== run) {
      throw new ServiceError(
        "invalid_request",
        `${file} holds results of another run (${entry.run}). Name another file.`,
      );
    }
    kept.set(entry.index, entry.value);
  }
  return kept;
}

interface Kept<Value> {
  readonly run: string;
  readonly index: number;
  readonly value: Value;
}

function parsed<Value>(line: string): Kept<Value> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
