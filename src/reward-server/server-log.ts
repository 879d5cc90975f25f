/** What the shared reward server said last, and what it means. */
import { join } from "node:path";
import { openFile } from "../../shared/regular-file.ts";
import { LOG_FILE } from "../../shared/sharing/lease.ts";
import { LINE_LENGTH } from "../base/node-process.ts";
import { RankError } from "../ranking/server-client.ts";
import { HINTS, hintFor } from "./death-hints.ts";
import { type Exit, START_MARK } from "./server-process.ts";

/** Enough for a stack trace or the engine's words about memory. */
const OUTPUT_LINES = 200;
const OUTPUT_BYTES = 64 * 1024;
/** Lines in which the reason of an end is looked for. */
const LAST_LINES = 20;

/** The last lines of the log in the folder, oldest first; none where there is no log. */
export async function readServerLog(folder: string): Promise<readonly string[]> {
  try {
    const file = await openFile(join(folder, LOG_FILE), "read");
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - OUTPUT_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
      const lines = buffer
        .toString("utf8", 0, bytesRead)
        .split(/\r?\n/)
        .filter((line) => line !== "");
      return lines.slice(-OUTPUT_LINES).map((line) => line.slice(0, LINE_LENGTH));
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}

/**
 * Why a server ended, with the way out. Pure.
 * @param exit how, where this window started it
 */
export function deathOf(exit: Exit | undefined, output: readonly string[]): RankError {
  const { code, signal } = exit ?? { code: null, signal: null };
  const how = signal ? ` (signal ${signal})` : code === null ? "" : ` (code ${code})`;
  // Records of the log are of the time before; the last words stand after them.
  const own = output
    .slice(output.findLastIndex((line) => line.startsWith(START_MARK)) + 1)
    .slice(-LAST_LINES);
  // Records of the log are of the time before, and frames of a stack say nothing to people.
  const spoken = own.filter((line) => !/^[{}]|^\s|^Node\.js v|^Process \d+ ended/.test(line));
  const noted = own.filter((line) => /^Process \d+ ended/.test(line));
  const last = spoken.findLast((line) => /^\w*Error\b/.test(line)) ?? spoken.at(-1);
  const said = last === undefined ? undefined : asSentence(last);
  const hint =
    hintFor(spoken.join("\n")) ??
    (said === undefined ? hintFor([...noted, signal ?? "", `code ${code}`].join("\n")) : undefined);
  const why =
    hint === undefined
      ? (said ?? "Its output says nothing; restart it with codescaler.device set to cpu.")
      : HINTS[hint];
  return new RankError("unreachable", `The reward server ended${how}. ${why}`, { hint });
}

/** What is no whole sentence is quoted: words of a library, or a line that a full disk cut off. */
function asSentence(line: string): string {
  return /[.!?”"]$/.test(line)
    ? line
    : `Its last words were “${line}”; where they break off, the disk may be full.`;
}
