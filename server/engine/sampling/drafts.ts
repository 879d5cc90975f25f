/** All samples of a request while they are written: which share their text, which end, and that no two are the same. Pure. */
import type { Finish, Sample, SampleRequest } from "../writer.ts";
import type { Distribution } from "./distribution.ts";
import type { Draft } from "./draft.ts";
import { type PathStep, UsedPaths } from "./used-paths.ts";

/** A text is asked about whenever it has so many tokens more. */
const TOKENS_BETWEEN_CHECKS = 4;
/** A sample that comes out like an earlier one goes another way so many times at most. */
const MOST_DETOURS = 16;

/** Samples with the same tokens so far; they are decoded as one. */
export type Branch = readonly [Draft, ...Draft[]];

/** What the last step did to a sample that ended. */
interface Ending {
  readonly draft: Draft;
  readonly finish: Finish;
  /** The way that led to the end, with what ended it and is no part of it. */
  readonly path: readonly PathStep[];
}

export class Drafts {
  readonly #request: Pick<SampleRequest, "maxTokens" | "completeAt" | "onSample">;
  readonly #ends: (token: number) => boolean;
  readonly #samples: Sample[] = [];
  readonly #texts = new Set<string>();
  readonly #used = new UsedPaths();
  readonly #detours = new Map<Draft, number>();
  #branches: Branch[];
  /** Where each that goes on does so: by branch and token. */
  #next = new Map<string, [Draft, ...Draft[]]>();
  #endings: Ending[] = [];

  /** @param ends whether a text ends with this token */
  constructor(
    drafts: readonly Draft[],
    request: Pick<SampleRequest, "maxTokens" | "completeAt" | "onSample">,
    ends: (token: number) => boolean,
  ) {
    const [first, ...others] = drafts;
    this.#branches = first ? [[first, ...others]] : [];
    this.#request = request;
    this.#ends = ends;
  }

  get unfinished(): boolean {
    return this.#branches.length > 0;
  }

  branches(): readonly Branch[] {
    return this.#branches;
  }

  /** Samples that ended, in the order of their indexes. */
  samples(): readonly Sample[] {
    return [...this.#samples].sort((a, b) => a.index - b.index);
  }

  /** Takes the next token of a sample. `settle` follows when all have one. */
  advance(draft: Draft, distribution: Distribution): void {
    const place = draft.length;
    const { banned } = draft;
    let drawn = distribution.draw(draft.random(), banned);
    // A sample of nothing helps nobody.
    if (place === 0 && this.#ends(drawn.token)) {
      const ends = new Set(banned);
      while (this.#ends(drawn.token) && ends.size < MOST_ENDS) {
        ends.add(drawn.token);
        drawn = distribution.draw(draft.random(), ends);
      }
    }
    const { token } = drawn;
    if (this.#ends(token)) {
      this.#endings.push({ draft, finish: "stop", path: [...draft.path, drawn] });
      return;
    }
    const branch = this.#branches.findIndex((members) => members.includes(draft));
    draft.take(drawn);
    const stop = draft.stopAt();
    const { path } = draft;
    if (stop !== undefined) {
      draft.cut(stop);
      this.#endings.push({ draft, finish: "stop", path });
    } else if (draft.length >= this.#request.maxTokens) {
      this.#endings.push({ draft, finish: "length", path });
    } else {
      const key = `${branch} ${token}`;
      const [first = draft, ...others] = this.#next.get(key) ?? [];
      this.#next.set(key, first === draft ? [draft] : [first, ...others, draft]);
    }
  }

  /**
   * Ends the step: what is complete ends, and what ended like another one goes back.
   * @returns samples that went back: after so many tokens of theirs the next is to be found anew
   */
  async settle(): Promise<readonly Draft[]> {
    const branches: Branch[] = [];
    const going = [...this.#next.values()];
    const ended = this.#endings;
    this.#next = new Map();
    this.#endings = [];
    const due = going.map(([first]) => first.length % TOKENS_BETWEEN_CHECKS === 0);
    const completeAt = await this.#ask([
      ...going.filter((_, index) => due[index]).map(([first]) => first.text),
      ...ended.map(({ draft }) => draft.text),
    ]);
    for (const [index, branch] of going.entries()) {
      const complete = due[index] ? completeAt.shift() : undefined;
      if (complete === undefined) branches.push(branch);
      else for (const draft of branch) ended.push(cutAt(complete, draft));
    }
    const endings = ended.map((ending) => {
      const complete = ending.finish === "syntax" ? undefined : completeAt.shift();
      const shorter = complete !== undefined && complete < ending.draft.text.length;
      return shorter ? cutAt(complete, ending.draft) : ending;
    });
    // In the order of their indexes, so that nothing depends on how they were grouped.
    endings.sort((a, b) => a.draft.index - b.draft.index);
    const back: Draft[] = [];
    for (const ending of endings) {
      if (this.#finished(ending)) continue;
      back.push(ending.draft);
      branches.push([ending.draft]);
    }
    this.#branches = branches;
    return back;
  }

  /** Ends all samples as they are: there is no more time. */
  endAll(): void {
    for (const draft of this.#branches.flat().sort((a, b) => a.index - b.index)) {
      if (draft.length > 0) this.#give(draft, "length");
    }
    this.#branches = [];
  }

  async #ask(texts: readonly string[]): Promise<(number | undefined)[]> {
    const { completeAt } = this.#request;
    return completeAt && texts.length > 0 ? [...(await completeAt(texts))] : texts.map(() => undefined);
  }

  /** Whether a sample that ended is one; otherwise it was like another, and has gone back. */
  #finished({ draft, finish, path }: Ending): boolean {
    this.#used.add(path);
    if (this.#texts.has(draft.text) && this.#goesBack(draft, path)) return false;
    this.#give(draft, finish);
    return true;
  }

  #goesBack(draft: Draft, path: readonly PathStep[]): boolean {
    const detours = this.#detours.get(draft) ?? 0;
    const exit = detours < MOST_DETOURS ? this.#used.exit(path, draft.random()) : undefined;
    if (!exit) return false;
    this.#detours.set(draft, detours + 1);
    draft.goBack(exit);
    return true;
  }

  #give(draft: Draft, finish: Finish): void {
    const { index, text, length: tokens, logprob } = draft;
    const sample: Sample = { index, text, tokens, logprob, finish };
    this.#texts.add(text);
    this.#samples.push(sample);
    this.#request.onSample?.(sample);
  }
}

/** More tokens that end a text than any vocabulary has. */
const MOST_ENDS = 64;

function cutAt(units: number, draft: Draft): Ending {
  draft.cut(units);
  return { draft, finish: "syntax", path: draft.path };
}
