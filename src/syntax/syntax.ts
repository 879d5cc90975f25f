/** The syntax module in the extension host: loaded with the first completion, never with the extension. */
import type { Language } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import type { CursorContext } from "../editor/cursor-context.ts";
import type { ModelReading } from "../preferences/preference.ts";
import type { Candidate } from "../ranking/ranking.ts";
import type { FunctionRange } from "../scoring/functions.ts";
import type { StopEarly } from "../sources/source.ts";
import type { SyntaxEngine } from "./syntax-engine.ts";

export class Syntax {
  readonly #grammarDir: string;
  #loaded: Promise<SyntaxEngine> | undefined;

  /** @param grammarDir folder with the grammars and web-tree-sitter's files */
  constructor(grammarDir: string) {
    this.#grammarDir = grammarDir;
  }

  /** Whether a completion is valid at the cursor, and what of it is inserted. */
  async check(cursor: CursorContext, text: string): Promise<Pick<Candidate, "insert" | "valid" | "reason">> {
    const { runtime, assemble } = await this.#load();
    const { prefix, suffix, language } = cursor;
    const { insert, valid, reason } = await assemble({ prefix, suffix, language, completion: text }, runtime);
    return { insert, valid, reason };
  }

  /** What a reward model reads at the cursor: the problem, and each completion in its unit. */
  async reading(cursor: CursorContext, completions: readonly string[]): Promise<ModelReading> {
    const { runtime, assemble, problemAt } = await this.#load();
    const { prefix, suffix, language, path } = cursor;
    const units: (string | null)[] = [];
    for (const completion of completions) {
      const { unit, valid } = await assemble({ prefix, suffix, language, path, completion }, runtime);
      units.push(valid ? unit : null);
    }
    return { problem: await problemAt({ prefix, suffix, language, path }, runtime), units };
  }

  /** The innermost function around an offset of a text; undefined where there is none. */
  async functionAt(text: string, offset: number, language: Language): Promise<FunctionRange | undefined> {
    const { runtime, functionAt } = await this.#load();
    await runtime.load(language);
    return functionAt(text, offset, language, runtime);
  }

  /** The functions of a text, in its order. */
  async functionsIn(text: string, language: Language): Promise<FunctionRange[]> {
    const { runtime, functionsIn } = await this.#load();
    await runtime.load(language);
    return functionsIn(text, language, runtime);
  }

  /** The parser itself, with the language's grammar loaded. */
  async parserFor(language: CursorContext["language"]): Promise<SyntaxRuntime> {
    const { runtime } = await this.#load();
    await runtime.load(language);
    return runtime;
  }

  /**
   * Whether a completion that streams is complete: what it completes at the cursor has ended, or it repeats the document.
   * Asked at the ends of lines only, as asking after every piece would cost more than it saves. Never stops before the
   * parser is loaded.
   */
  stopperFor(cursor: CursorContext): StopEarly {
    const { prefix, suffix, language } = cursor;
    let loaded: SyntaxEngine | undefined;
    this.#load()
      .then(async (ready) => {
        await ready.runtime.load(language);
        loaded = ready;
      })
      // Whoever checks the completion reports it.
      .catch(() => {});
    return (text) => {
      if (loaded === undefined || !atLineEnd(text) || text.includes(FENCE)) return false;
      const document = loaded.documentOf({ prefix, suffix, language }, loaded.runtime);
      return loaded.stopOf(document, text) !== undefined;
    };
  }

  dispose(): void {
    this.#loaded?.then(({ runtime }) => runtime.dispose()).catch(() => {});
  }

  #load(): Promise<SyntaxEngine> {
    this.#loaded ??= import("./syntax-engine.ts").then(({ loadSyntaxEngine }) =>
      loadSyntaxEngine(this.#grammarDir),
    );
    this.#loaded.catch(() => {
      this.#loaded = undefined;
    });
    return this.#loaded;
  }
}

/** A reply in Markdown is not a continuation: only the whole of it can be read. */
const FENCE = "```";

function atLineEnd(text: string): boolean {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  return line.length < text.length && line.trim() === "";
}
