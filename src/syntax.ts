/** The syntax module in the extension host: loaded with the first completion, never with the extension. */
import type { assemble } from "../server/syntax/assemble.ts";
import type { SyntaxRuntime } from "../server/syntax/parser.ts";
import type { Checked } from "./inline/choice.ts";
import type { StopEarly } from "./sources/source.ts";
import type { Place } from "./task.ts";

interface Loaded {
  readonly runtime: SyntaxRuntime;
  readonly assemble: typeof assemble;
}

export class Syntax {
  readonly #grammarDir: string;
  #loaded: Promise<Loaded> | undefined;

  /** @param grammarDir folder with the grammars and web-tree-sitter's files */
  constructor(grammarDir: string) {
    this.#grammarDir = grammarDir;
  }

  /** Whether a completion is valid at the place, and what of it is inserted. */
  async check(place: Place, text: string): Promise<Omit<Checked, "candidate">> {
    const { runtime, assemble } = await this.#load();
    const { prefix, suffix, language } = place;
    const { insert, valid, reason } = await assemble({ prefix, suffix, language, completion: text }, runtime);
    return { insert, valid, reason };
  }

  /** The parser itself, with the language's grammar loaded. */
  async parserFor(language: Place["language"]): Promise<SyntaxRuntime> {
    const { runtime } = await this.#load();
    await runtime.load(language);
    return runtime;
  }

  dispose(): void {
    this.#loaded?.then(({ runtime }) => runtime.dispose()).catch(() => {});
  }

  #load(): Promise<Loaded> {
    this.#loaded ??= load(this.#grammarDir);
    this.#loaded.catch(() => {
      this.#loaded = undefined;
    });
    return this.#loaded;
  }
}

async function load(grammarDir: string): Promise<Loaded> {
  const [{ wasmRuntime }, { assemble }] = await Promise.all([
    import("../server/syntax/parser.ts"),
    import("../server/syntax/assemble.ts"),
  ]);
  return { runtime: await wasmRuntime({ grammarDir }), assemble };
}

/** Blank lines after which a completion that streams is surely past what was asked for. */
const ENOUGH_BLANK_LINES = 3;

/** Text alone decides here: a parse of every piece that streams in would cost more than it saves. */
export const stopAtBlankLines: StopEarly = (text) => text.endsWith("\n".repeat(ENOUGH_BLANK_LINES + 1));
