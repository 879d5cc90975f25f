/** What the verbs of `codescaler models` share: printing, progress, interruption, one operand. */
import { Socket } from "node:net";
import { gigabytes } from "../../../shared/gigabytes.ts";
import { ServiceError } from "../../errors.ts";
import type { ModelFacts, TokenizerFile } from "../../models/model-file.ts";
import { UsageError } from "../arguments.ts";

/** How far a long piece of work is, in bytes. */
export interface Progress {
  readonly step: "download" | "weights" | "check" | "copy" | "unpack";
  readonly done: number;
  readonly total: number;
}

export const PROGRESS_FORMS = ["text", "json"] as const;
export type ProgressForm = (typeof PROGRESS_FORMS)[number];

/** Share of the work between two lines of progress where the terminal cannot rewrite one. */
const PROGRESS_STEP = 0.1;
/** Between two lines for a program. */
const JSON_INTERVAL_MS = 200;

const STEPS: Readonly<Record<Progress["step"], string>> = {
  download: "Downloading",
  weights: "Converting",
  check: "Checking",
  copy: "Copying",
  unpack: "Unpacking",
};

/** The one operand of a verb. */
export function operandOf(positionals: readonly string[], needs: string): string {
  const [operand, ...others] = positionals;
  if (operand === undefined) throw new UsageError(needs);
  requireNoMore(others);
  return operand;
}

export function requireNoMore(others: readonly string[]): void {
  if (others.length > 0) throw new UsageError(`"${others[0]}" is one argument too many.`);
}

/** One JSON document, or text. */
export function print(asJson: boolean, json: unknown, text: string): void {
  process.stdout.write(asJson ? `${JSON.stringify(json)}\n` : `${text}\n`);
}

/**
 * Aborts at the first Ctrl-C or polite end; the work then cleans up and the sentence is the failure.
 * @param withStdin also when stdin ends: for a parent that owns this process
 */
export function interruption(sentence: string, withStdin = false): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new ServiceError("cancelled", sentence));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, abort);
  if (withStdin) {
    process.stdin.once("end", abort);
    process.stdin.once("error", abort);
    process.stdin.resume();
    // Waiting for the parent must not keep this process alive once the work is done. A file has no unref.
    if (process.stdin instanceof Socket) process.stdin.unref();
  }
  return controller.signal;
}

/**
 * Progress on stderr. As text: one line that is rewritten in a terminal, a line every tenth elsewhere.
 * As JSON: a line `{"step","done","total"}` now and then, and for the end of each step.
 */
export function progressLine(form: ProgressForm = "text"): (progress: Progress) => void {
  return form === "json" ? jsonLines() : textLines();
}

/** A check of fewer bytes is over before anybody wonders. */
const SHOWN_CHECK_BYTES = 256 * 2 ** 20;

/** Shows how far the check of a large model's weights is. */
export function checkLine(): (done: number, total: number) => void {
  const show = progressLine();
  return (done, total) => {
    if (total > SHOWN_CHECK_BYTES) show({ step: "check", done, total });
  };
}

/** Says on stderr why nothing happens for a while. */
export function waitLine(form: ProgressForm): (reason: string, ms: number) => void {
  return (reason, ms) => {
    const text = `${reason} (Next try in ${Math.ceil(ms / 1000)} s.)`;
    const line = form === "json" ? JSON.stringify({ step: "wait", reason, ms }) : text;
    process.stderr.write(`${process.stderr.isTTY && form === "text" ? "\r\u001b[K" : ""}${line}\n`);
  };
}

function jsonLines(): (progress: Progress) => void {
  let last = 0;
  return (progress) => {
    const now = Date.now();
    if (now - last < JSON_INTERVAL_MS && progress.done < progress.total) return;
    last = now;
    process.stderr.write(`${JSON.stringify(progress)}\n`);
  };
}

function textLines(): (progress: Progress) => void {
  const terminal = process.stderr.isTTY;
  let shown = "";
  let started: { readonly step: string; readonly done: number; readonly at: number } | undefined;
  return ({ step, done, total }) => {
    if (started?.step !== step) started = { step, done, at: Date.now() };
    const fraction = total > 0 ? Math.min(1, done / total) : 1;
    const steps = terminal ? 0.01 : PROGRESS_STEP;
    const percent = Math.round(Math.floor(fraction / steps + 1e-9) * steps * 100);
    const text = `${STEPS[step]} ${percent} % of ${gigabytes(total)}`;
    if (text === shown) return;
    shown = text;
    const left = step === "download" ? timeLeft(started, done, total) : "";
    process.stderr.write(
      terminal ? `\r${text}${left}\u001b[K${fraction === 1 ? "\n" : ""}` : `${text}${left}\n`,
    );
  };
}

/** Speed since this process began, and what it promises. */
function timeLeft(
  started: { readonly done: number; readonly at: number },
  done: number,
  total: number,
): string {
  const seconds = (Date.now() - started.at) / 1000;
  const rate = (done - started.done) / seconds;
  if (seconds < 1 || rate <= 0 || done >= total) return "";
  const left = (total - done) / rate;
  const time = left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`;
  return `, ${(rate / 1e6).toFixed(1)} MB/s, ${time} left`;
}

export function described(facts: ModelFacts) {
  return {
    kind: "reward",
    path: facts.path,
    family: facts.family,
    source: facts.source,
    revision: facts.revision,
    type: facts.type,
    max_tokens: facts.maxTokens,
    hidden: facts.hidden,
    bytes: facts.fileBytes,
  };
}

export function describe(facts: ModelFacts): string {
  return `${facts.source} (${facts.revision}), family ${facts.family}, ${facts.type}, ${gigabytes(facts.fileBytes)}`;
}

export function tokenizerFacts(facts: TokenizerFile) {
  return {
    path: facts.path,
    family: facts.family,
    source: facts.source,
    revision: facts.revision,
    max_tokens: facts.maxTokens,
    bytes: facts.fileBytes,
  };
}

export function tokenizerInstalled(name: string, facts: TokenizerFile): string {
  return `The tokenizer of ${name} is installed: ${facts.source} (${facts.revision}), family ${facts.family}. Use it with --model ${name} --engine URL.`;
}
