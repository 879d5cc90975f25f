/** Renaming over a file or folder that a virus scanner, an indexer or another reader has open: Windows refuses it for a moment. */
import { rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 10;
const PAUSE_MS = 50;
/** What Windows answers then; elsewhere it means what it says, and half a second is lost. */
const FOR_A_MOMENT = /^(?:EPERM|EACCES|EBUSY)$/;

/**
 * Renames, again and again for half a second where it is refused.
 * @param once renames; another one only in tests, since no file system here refuses for a moment
 */
export async function renameFile(
  from: string,
  to: string,
  once: (from: string, to: string) => Promise<void> = rename,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(from, to);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (attempt === TRIES || !FOR_A_MOMENT.test(code)) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
