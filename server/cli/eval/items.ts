/** One model over the items of a file, as every long evaluation needs it: progress, Ctrl-C, resumption. */

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type SyntaxRuntime, wasmRuntime } from "../../../shared/syntax/parsing/parser.ts";
import { ServiceError } from "../../errors.ts";
import { resumable } from "../../eval/resume.ts";
import { grammarFolder } from "../../files/package-files.ts";
import { findModel } from "../../models/find-model.ts";
import { openModel } from "../../ranking/load-judge.ts";
import type { Scorer } from "../../ranking/scorer.ts";
import { reasonOf, wholeNumber } from "../arguments.ts";
import { engineOptions } from "../engine-options.ts";
import { checkLine } from "../models/output.ts";

/** Options of every evaluation with a model. */
export type ItemsValues = Parameters<typeof engineOptions>[0] & { readonly resume?: string | undefined };

/**
 * Judges all items, in order.
 * @param kind what is done with them: results that were kept of something else are refused
 */
export async function overItems<Item, Value extends object>(
  file: string,
  kind: string,
  items: readonly Item[],
  values: ItemsValues,
  judge: (item: Item, scorer: Scorer, syntax: SyntaxRuntime, signal: AbortSignal) => Promise<Value>,
): Promise<{ results: Value[]; seconds: number; model: string }> {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    const way = values.resume === undefined ? "" : ` --resume ${values.resume} goes on from here.`;
    controller.abort(new ServiceError("cancelled", `Cancelled.${way}`));
  });
  const options = engineOptions(values);
  const model = await findModel(values.model, options.remote !== undefined);
  const scorer = await openModel(model.id, model.path, { ...options, onCheck: checkLine() });
  try {
    const syntax = await wasmRuntime({ grammarDir: grammarFolder });
    const digest = createHash("sha256")
      .update(await readFile(file))
      .digest("hex")
      .slice(0, 12);
    // A name may have got another file, another calibration or another fit.
    const { type, revision } = scorer.identity;
    const fitted = createHash("sha256")
      .update(JSON.stringify(scorer.fit ?? null))
      .digest("hex")
      .slice(0, 8);
    const run = `${kind} of ${digest} with ${model.id} ${type} ${revision} ${scorer.probability(0)} ${fitted}`;
    const started = performance.now();
    const show = progress(items.length);
    const results = await resumable(
      values.resume,
      run,
      items,
      (item) => judge(item, scorer, syntax, controller.signal),
      show,
    );
    return { results, seconds: (performance.now() - started) / 1000, model: model.id };
  } finally {
    await scorer.close();
  }
}

/** One line a tenth of the way, or a line that rewrites itself on a terminal. */
function progress(total: number): (done: number) => void {
  let shown = 0;
  return (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total}${done === total ? "\n" : ""}`);
    else if (done === total || Math.floor((10 * done) / total) > shown) {
      shown = Math.floor((10 * done) / total);
      process.stderr.write(`${done} of ${total}\n`);
    }
  };
}

/** The first items, where the option says how many. */
export function limited<T>(items: readonly T[], limit: string | undefined): readonly T[] {
  return limit === undefined ? items : items.slice(0, wholeNumber("limit", limit, 1, 1_000_000_000));
}

/**
 * Writes a picture. Called with nothing before the work begins, so that a path that cannot be written is learnt then.
 * @throws ServiceError disk_failed
 */
export async function writePlot(file: string, svg: string): Promise<void> {
  try {
    await writeFile(file, svg);
  } catch (error) {
    throw new ServiceError("disk_failed", `${file} cannot be written (${reasonOf(error)}).`, {
      cause: error,
    });
  }
}
