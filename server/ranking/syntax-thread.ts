/**
 * Syntax in a thread of its own. A parser cannot pause: a hostile candidate keeps it busy for half a second, in which
 * the event loop must answer everyone else; one that takes for ever ends the thread and nothing else.
 */
import { Worker } from "node:worker_threads";
import { ERRORS, type ErrorCode } from "../../shared/contract.ts";
import { startWatchedThread, TooHard } from "../../shared/threads/watched-thread.ts";
import { ServiceError } from "../errors.ts";
import { serverScript } from "../files/package-files.ts";
import type { ProgramReader, Programs } from "./programs.ts";
import type { StopRequest, Stops, SyntaxReply, SyntaxRequest } from "./syntax-requests.ts";

/** Longest time for one candidate, in milliseconds: ten times what hostile ones that parse at all have taken. */
const CANDIDATE_MS = 5000;

/** Longest time for all candidates together: 256 of 64 KiB take half of it on a slow machine. */
const REQUEST_MS = 60_000;

/** Candidates that are too hard before the request is refused: each has held up all others. */
const MAX_TOO_HARD = 2;

const TOO_HARD = `Reading it takes more than ${CANDIDATE_MS / 1000} seconds.`;

export interface SyntaxThread {
  /** Waits until the thread is ready. A candidate that is too hard is an invalid program that says so. */
  readonly read: ProgramReader;
  /** Where samples end that are being written at a cursor. What is too hard to read is left to go on. */
  readonly stops: (request: StopRequest, signal?: AbortSignal) => Promise<Stops>;
  /** Settles when the thread can parse. Rejects when the parser cannot be loaded. */
  readonly ready: Promise<void>;
  /** Ends the thread; requests that still wait fail. */
  close(): Promise<void>;
}

/** Starts the thread. It does not keep the process alive. */
export function startSyntaxThread(): SyntaxThread {
  const thread = startWatchedThread<SyntaxRequest, SyntaxReply>({
    start: () => new Worker(serverScript, { argv: ["syntax"] }),
    stepMs: CANDIDATE_MS,
    requestMs: REQUEST_MS,
    closed: () => new ServiceError("restarting", "The server is shutting down. Send the request again."),
    lost: (cause) =>
      new ServiceError("internal", "The parser ended unexpectedly. Send the request again.", { cause }),
    failed: (code, message) => (isErrorCode(code) ? new ServiceError(code, message) : new Error(message)),
  });

  const read: ProgramReader = async ({ task, candidates, mode }, signal) => {
    const hard: string[] = [];
    for (;;) {
      const rest = candidates.filter(({ id }) => !hard.includes(id));
      try {
        const { programs } = await thread.run({ programs: { task, candidates: rest, mode } }, signal);
        if (programs === undefined) throw new Error("The parser's thread answered another question.");
        const { problem, entries } = programs;
        return { problem, entries: [...entries, ...hard.map((id) => unread(id, task.language ?? ""))] };
      } catch (error) {
        if (!(error instanceof TooHard)) throw error;
        if (error.what === "request") throw tooHard("The candidates together take", REQUEST_MS, "Send fewer");
        if (error.about === undefined)
          throw tooHard("The text around the cursor takes", CANDIDATE_MS, "Send less of it");
        hard.push(error.about);
        if (hard.length < MAX_TOO_HARD) continue;
        const names = hard.map((id) => JSON.stringify(id)).join(", ");
        throw tooHard(`Each of the candidates ${names} takes`, CANDIDATE_MS, "Leave them out");
      }
    }
  };

  const stops = async (request: StopRequest, signal?: AbortSignal): Promise<Stops> => {
    try {
      const { stops } = await thread.run({ stops: request }, signal);
      if (stops === undefined) throw new Error("The parser's thread answered another question.");
      return stops;
    } catch (error) {
      if (error instanceof TooHard) return request.texts.map(() => undefined);
      throw error;
    }
  };
  return { read, stops, ready: thread.ready, close: thread.close };
}

/** A candidate that was not read to its end. */
function unread(id: string, language: string): Programs["entries"][number] {
  return { id, language, code: "", scored: "", valid: false, reason: TOO_HARD, duplicates: [] };
}

function tooHard(what: string, ms: number, wayOut: string): ServiceError {
  return new ServiceError("invalid_request", `${what} more than ${ms / 1000} seconds to read. ${wayOut}.`);
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code);
}
