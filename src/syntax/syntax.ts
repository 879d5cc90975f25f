/**
 * Syntax for the extension host, in a thread that is started with the first completion: a hostile completion must hold up
 * neither typing nor other extensions.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Language } from "../../shared/syntax/languages/languages.ts";
import { startWatchedThread, TooHard, type WatchedThread } from "../../shared/threads/watched-thread.ts";
import type { StopEarly } from "../sources/source.ts";
import type { Answer, Answers, Kind, ParsedCursor, Question, Questions, ShownCode } from "./questions.ts";

/** Longest time for one completion, in milliseconds: hostile ones that parse at all have taken half a second. */
const STEP_MS = 3000;
/** Longest time for a question about many. */
const QUESTION_MS = 30_000;

export class Syntax {
  readonly #dist: string;
  #thread: WatchedThread<Question, Answer> | undefined;

  /** @param dist folder of the built extension, with the thread's script, the grammars and web-tree-sitter's files */
  constructor(dist: string) {
    this.#dist = dist;
  }

  /** Whether a completion is valid at the cursor, and what of it is inserted. */
  async check(cursor: ParsedCursor, text: string): Promise<Answers["check"]> {
    try {
      return await this.#ask("check", { cursor: plain(cursor), text });
    } catch (error) {
      if (!(error instanceof TooHard)) throw error;
      const reason = `Reading it takes more than ${STEP_MS / 1000} seconds.`;
      return { insert: text, valid: false, reason };
    }
  }

  /** What a reward model reads at the cursor: the problem, and each completion in its unit. */
  reading(cursor: ParsedCursor, completions: readonly string[]): Promise<Answers["reading"]> {
    return this.#ask("reading", { cursor: plain(cursor), completions });
  }

  /** The innermost function around an offset of a text; undefined where there is none. */
  functionAt(text: string, offset: number, language: Language): Promise<Answers["functionAt"]> {
    return this.#ask("functionAt", { text, offset, language });
  }

  /** The functions of a text, in its order. */
  functionsIn(text: string, language: Language): Promise<Answers["functionsIn"]> {
    return this.#ask("functionsIn", { text, language });
  }

  /** Pieces of code in colours, line by line; without colours where one is too hard to parse. */
  async highlight(pieces: readonly ShownCode[]): Promise<Answers["highlight"]> {
    try {
      return await this.#ask("highlight", { pieces });
    } catch (error) {
      if (!(error instanceof TooHard)) throw error;
      return pieces.map(({ text }) => text.split("\n").map((line) => [[line, ""]]));
    }
  }

  /**
   * Whether a completion that streams is complete: what it completes at the cursor has ended, or it repeats the document.
   * Asked at the ends of lines only, one line at a time; the answer counts for all that begins with the text that was
   * asked about, so that it stops a piece later than it could.
   */
  stopperFor(cursor: ParsedCursor): StopEarly {
    const ended: string[] = [];
    let asking = false;
    return (text) => {
      if (ended.some((whole) => text.startsWith(whole))) return true;
      if (asking || !atLineEnd(text) || text.includes(FENCE)) return false;
      asking = true;
      this.#ask("hasEnded", { cursor: plain(cursor), text })
        .then((is) => {
          if (is) ended.push(text);
        })
        // Whoever checks the completion reports it.
        .catch(() => {})
        .finally(() => {
          asking = false;
        });
      return false;
    };
  }

  dispose(): void {
    void this.#thread?.close();
  }

  async #ask<K extends Kind>(kind: K, question: Questions[K]): Promise<Answers[K]> {
    this.#thread ??= startWatchedThread<Question, Answer>({
      start: () =>
        new Worker(join(this.#dist, "syntax-engine.js"), {
          workerData: { grammarDir: join(this.#dist, "grammars") },
        }),
      stepMs: STEP_MS,
      requestMs: QUESTION_MS,
      closed: () => new Error("The extension is ending."),
      lost: (cause) => new Error("The parser ended unexpectedly. Try again.", { cause }),
      failed: (_code, message) => new Error(message),
    });
    // The thread answers a question by its kind.
    return (await this.#thread.run({ kind, ...question } as Question)) as Answers[K];
  }
}

/** Only what can be sent to a thread. */
function plain({ prefix, suffix, language, path }: ParsedCursor): ParsedCursor {
  return { prefix, suffix, language, path };
}

/** A reply in Markdown is not a continuation: only the whole of it can be read. */
const FENCE = "```";

function atLineEnd(text: string): boolean {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  return line.length < text.length && line.trim() === "";
}
