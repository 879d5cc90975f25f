/** The log of a server without a parent: its stderr is a file, which must not grow for ever. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { checkIsFile, flagsFor } from "../../shared/regular-file.ts";

/** Some thousand requests. */
const MAX_LOG_BYTES = 1024 * 1024;
/** What stays when it is cut: the end, which says how things came to be as they are. */
const KEPT_BYTES = 64 * 1024;

/**
 * Cuts the log to its end where it became too long. Whoever writes to it has it open for appending, native libraries
 * included: so it is cut in place and not renamed.
 */
export function capLog(path: string): void {
  try {
    const file = openSync(path, flagsFor("change"));
    try {
      const stats = fstatSync(file);
      checkIsFile(path, stats);
      const { size } = stats;
      if (size <= MAX_LOG_BYTES) return;
      const kept = Buffer.alloc(KEPT_BYTES);
      readSync(file, kept, 0, KEPT_BYTES, size - KEPT_BYTES);
      ftruncateSync(file, 0);
      writeSync(file, kept.subarray(kept.indexOf("\n") + 1), 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // A log that cannot be cut is no reason to end.
  }
}
