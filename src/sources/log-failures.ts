/** Every failure of a source in the log, once: one that is left alone has the same at every keystroke. */
import type { Disposable } from "../base/emitter.ts";
import type { Log } from "../base/log.ts";
import type { Health } from "./health.ts";

export function logFailures(health: Health, log: Log): Disposable {
  return health.onChange((id) => {
    const state = health.of(id);
    if (state.kind === "failed") log.warn(state.error.message);
  });
}
