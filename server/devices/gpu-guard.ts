/** Loading on a GPU, which may crash or hang this process: marked, so that the next start knows, and bounded in time. */
import { ServiceError } from "../errors.ts";
import { mark } from "./crash-marks.ts";

/** Loading 8 billion weights from a slow disk takes a minute; the editor waits for three. */
export const GUARD_TIMEOUT_MS = 150_000;
/** Time to report the failure before the process ends: a native call that hangs cannot be stopped otherwise. */
const LAST_WORDS_MS = 1000;
/** Neither "failed" nor "wrong usage": whoever watches the process should start it again. EX_TEMPFAIL of sysexits. */
export const HUNG_EXIT_CODE = 75;

/** The GPU did not answer; the process ends soon. */
export class Hung extends ServiceError {
  constructor(seconds: number) {
    super(
      "engine_failed",
      `The GPU did not answer within ${seconds} s. Start again: it will be tried more carefully, and then left alone.`,
    );
  }
}

/**
 * Loads something through the build of `key`.
 * @throws what the work throws; Hung after `timeoutMs`, and then the process ends with `HUNG_EXIT_CODE`
 */
export async function guarded<T>(
  key: string,
  work: () => Promise<T>,
  timeoutMs: number = GUARD_TIMEOUT_MS,
): Promise<T> {
  const held = await mark(key, "loading");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Hung(Math.round(timeoutMs / 1000))), timeoutMs);
  });
  try {
    const result = await Promise.race([work(), late]);
    held.clear();
    return result;
  } catch (error) {
    if (error instanceof Hung) {
      held.keep();
      setTimeout(() => process.exit(HUNG_EXIT_CODE), LAST_WORDS_MS);
    } else held.clear();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
