/**
 * From a completion to the text that is inserted at a cursor, in five steps:
 *
 * 1. read: end tokens, reasoning, fences and prose go (`text/repetition.ts`, `text/code-in-reply.ts`);
 * 2. start: what is before the cursor already goes (`text/repetition.ts`, `text/repeated-unit.ts`);
 * 3. indent: the lines are moved to the document's indentation (`text/indentation.ts`);
 * 4. end: what leaves the cursor's place, or follows the cursor already, goes (`place.ts`, `text/repetition.ts`);
 * 5. judge: the document is parsed with what is left (`document/parsed-document.ts`).
 *
 * Steps 2 to 4 leave several readings open (`proposals.ts` orders them by likelihood); the first that parses in its
 * document is taken.
 */
import { extract } from "../extract/extract.ts";
import type { Language } from "../languages/languages.ts";
import type { SyntaxRuntime } from "../parsing/parser.ts";
import { type CursorDocument, cursorDocument } from "./document/document.ts";
import type { Judgement } from "./document/judgement.ts";
import { beforeCutOff, endings, proposals } from "./proposals.ts";
import { type Assembly, nothing, reportOf } from "./report.ts";
import { codeIn, PROSE } from "./text/code-in-reply.ts";
import { cleanText } from "./text/repetition.ts";

/** Longest completion that is read, in UTF-16 units: twice the 4096 tokens that reward models read. */
export const MAX_COMPLETION_LENGTH = 32 * 1024;

/** Insertions that are tried for one completion; real ones need one to four. */
const MAX_ATTEMPTS = 12;

/** The same for a completion above a size, so that hostile ones stay cheap. */
const MAX_ATTEMPTS_LARGE = 4;
const LARGE_COMPLETION = 8 * 1024;

/** And for one that leaves more errors than a doubled bracket or a sentence ever does. */
const MANY_FAULTS = 200;
const MAX_ATTEMPTS_HOPELESS = 2;

/** Ends of complete statements or elements that are tried in a completion that stops in the middle of one. */
const MAX_ATTEMPTS_CUT_OFF = 4;

/** A cursor in a document, and what a model would write there. */
export interface AssembleRequest {
  readonly prefix: string;
  readonly completion: string;
  readonly suffix: string;
  readonly language: Language;
  /** Path of the file: cells of notebooks (`.ipynb`) may have lines for IPython. */
  readonly path?: string | undefined;
}

/** The last document of each runtime: the completions of one request share it. */
const documents = new WeakMap<SyntaxRuntime, { request: AssembleRequest; document: CursorDocument }>();

/** Assembles one completion, loading the language's grammar if need be. Never throws for any text. */
export async function assemble(request: AssembleRequest, runtime: SyntaxRuntime): Promise<Assembly> {
  await runtime.load(request.language);
  const { completion } = request;
  if (completion.length > MAX_COMPLETION_LENGTH) {
    return nothing(
      `The completion is too large to check: it has ${completion.length} characters, the limit is ${MAX_COMPLETION_LENGTH}.`,
    );
  }
  const text = cleanText(completion);
  if (text.trim() === "") return nothing("The completion is empty.");
  const document = documentOf(request, runtime);
  const texts = document.before.inside === undefined ? codeIn(text, request.language) : [text];
  let found = search(texts, document);
  if (found?.valid !== true && PROSE.test(text) && document.before.inside === undefined) {
    const { code } = await extract(text, { language: request.language }, runtime);
    const extracted = code === "" ? undefined : search([code], document);
    if (extracted?.valid) found = extracted;
  }
  if (found === undefined) return nothing("Everything in the completion is in the document already.");
  return reportOf(found, document, request.prefix);
}

/** The document of the request, from the last one where only the completion differs. */
export function documentOf(
  request: Omit<AssembleRequest, "completion">,
  runtime: SyntaxRuntime,
): CursorDocument {
  const last = documents.get(runtime);
  if (
    last !== undefined &&
    last.request.language === request.language &&
    last.request.prefix === request.prefix &&
    last.request.suffix === request.suffix &&
    last.request.path === request.path
  ) {
    return last.document;
  }
  const document = cursorDocument(request, runtime);
  documents.set(runtime, { request: { ...request, completion: "" }, document });
  return document;
}

/**
 * The first proposal that is valid, else what comes before the point where the model was cut off, else the proposal
 * with the fewest errors; undefined when all are empty.
 */
function search(texts: readonly string[], document: CursorDocument): Judgement | undefined {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  const limit = length > LARGE_COMPLETION ? MAX_ATTEMPTS_LARGE : MAX_ATTEMPTS;
  const found = firstValid(texts, proposals, document, limit);
  if (found === undefined || found.valid || found.faults.length > MANY_FAULTS) return found;
  const complete = firstValid(texts, beforeCutOff, document, MAX_ATTEMPTS_CUT_OFF);
  return complete?.valid ? complete : found;
}

/** The first of the proposed insertions that is valid, else the one with the fewest errors. */
function firstValid(
  texts: readonly string[],
  propose: (text: string, document: CursorDocument) => Iterable<string>,
  document: CursorDocument,
  limit: number,
): Judgement | undefined {
  const tried = new Set<string>();
  let best: Judgement | undefined;
  let tolerated: Judgement | undefined;
  for (const text of texts) {
    for (const insert of propose(text, document)) {
      if (tried.has(insert) || insert.trim() === "") continue;
      tried.add(insert);
      const judgement = document.judge(insert);
      if (judgement.tooLarge) return judgement;
      if (judgement.valid) {
        const cut =
          judgement.unitEnd === undefined ? judgement : withinUnit(judgement, judgement.unitEnd, document);
        if (cut.clean) return cut;
        tolerated ??= cut;
      } else if (best === undefined || judgement.faults.length < best.faults.length) best = judgement;
      const most = judgement.faults.length > MANY_FAULTS ? MAX_ATTEMPTS_HOPELESS : limit;
      if (tried.size >= most) return tolerated ?? best;
    }
  }
  return tolerated ?? best;
}

/** Closing tokens and white space. */
const CLOSING_RUN = /^(?:\s*(?:[)\]};]|(?:end|fi|done|esac)\b))+/;

/** The insertion cut at the end of its unit, as long as that is valid too. */
function withinUnit(judgement: Judgement, end: number, document: CursorDocument): Judgement {
  // What ends the unit may also end what the document leaves open around it.
  const lacking = document.before.open.length > document.looseAfter.length;
  const closers = lacking ? (CLOSING_RUN.exec(judgement.insert.slice(end))?.[0].length ?? 0) : 0;
  const ends = closers > 0 ? [end + closers, end] : [end];
  for (const insert of ends.flatMap((at) => [...endings(judgement.insert.slice(0, at), document)])) {
    const cut = insert.trim() === "" ? undefined : document.judge(insert);
    if (cut?.valid) return cut;
  }
  return judgement;
}
