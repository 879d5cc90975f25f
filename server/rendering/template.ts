/** Chat templates: Jinja source from a model file, which anyone may have written, applied within bounds. */
import { Environment, parse, tokenize } from "@huggingface/jinja";
import type { Message } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import { BoundedInterpreter, type Budget, BudgetError } from "./interpreter.ts";

/** Longest template. The published ones of these families have 0.5 to 5 KiB. */
const TEMPLATE_CHARS = 64 * 1024;
/** Longest run of blanks in a template: one of the parser's patterns takes time by the square of it. */
const BLANK_RUN = 1024;
/** Steps of any rendering, of each message, and of each 16 UTF-16 units: some ten times what real templates take. */
const STEPS = { base: 20_000, perMessage: 2_000, unitsPerStep: 16 } as const;
/** Longest value: a template repeats contents a few times at most and adds text of its own. */
const SIZE = { base: 64 * 1024, perMessage: 1024, perUnit: 4 } as const;
/** Largest range: no chat template counts further. */
const RANGE = 10_000;

/** The only day there is for a template: a reward must not change from one day to the next. */
const DATE: Readonly<Record<string, string>> = {
  Y: "2024",
  y: "24",
  m: "07",
  B: "July",
  b: "Jul",
  d: "26",
  A: "Friday",
  a: "Fri",
  j: "208",
  H: "00",
  I: "12",
  M: "00",
  S: "00",
  p: "AM",
  "%": "%",
};

/** Variables of a template beside the messages: spellings of special tokens, absent where the model has none. */
export interface TemplateVariables {
  readonly bos_token?: string | undefined;
  readonly eos_token?: string | undefined;
  /** The conversation is to be continued: the template begins the assistant's turn. Default: it is complete. */
  readonly add_generation_prompt?: boolean | undefined;
}

/** Applies a template: messages → text. Throws ServiceError. */
export type Template = (messages: readonly Message[]) => string;

/** The template itself says no to a conversation (`raise_exception`). */
class Refusal extends Error {}

/**
 * Compiles a chat template.
 * @throws ServiceError model_unusable when it is no template, or an absurd one
 */
export function compileTemplate(source: string, variables: TemplateVariables): Template {
  if (source.length > TEMPLATE_CHARS) {
    throw unusable(`is longer than ${TEMPLATE_CHARS / 1024} KiB`);
  }
  if (new RegExp(`\\s{${BLANK_RUN}}`).test(source))
    throw unusable(`has more than ${BLANK_RUN} blanks in a row`);
  const program = attempt(() => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })));
  return (messages) =>
    attempt(() => {
      const interpreter = new BoundedInterpreter(
        scopeFor(messages, variables),
        budgetFor(messages),
        source.length,
      );
      const text: unknown = interpreter.run(program).value;
      if (typeof text !== "string") throw new Error("it renders no text");
      return text;
    });
}

/** Global names as Hugging Face's transformers gives them to a template, with a fixed date. */
function scopeFor(messages: readonly Message[], variables: TemplateVariables): Environment {
  const scope = new Environment();
  const given = Object.entries(variables).filter(([, value]) => value !== undefined);
  // A name can be set once.
  for (const [name, value] of new Map([...CONSTANTS, ...given])) scope.set(name, value);
  scope.set("messages", messages);
  return scope;
}

const CONSTANTS: readonly (readonly [string, unknown])[] = [
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
  ["tools", null],
  ["documents", null],
  ["add_generation_prompt", false],
  ["range", range],
  ["strftime_now", fixedDate],
  ["raise_exception", refuse],
];

function budgetFor(messages: readonly Message[]): Budget {
  let units = 0;
  for (const { content } of messages) units += content.length;
  return {
    steps: STEPS.base + STEPS.perMessage * messages.length + Math.floor(units / STEPS.unitsPerStep),
    size: SIZE.base + SIZE.perMessage * messages.length + SIZE.perUnit * units,
  };
}

function range(first: unknown, second: unknown, third: unknown): number[] {
  const [start, stop] = typeof second === "number" ? [first, second] : [0, first];
  const step = typeof third === "number" ? third : 1;
  if (typeof start !== "number" || typeof stop !== "number" || step === 0)
    throw new Error("range needs numbers");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > RANGE) throw new BudgetError("it counts too high");
  return Array.from({ length }, (_, index) => start + index * step);
}

function fixedDate(format: unknown): string {
  return String(format).replace(/%[-#]?([a-zA-Z%])/g, (directive, name: string) => DATE[name] ?? directive);
}

function refuse(message: unknown): never {
  throw new Refusal(String(message));
}

/** Longest part of a template's own message that is passed on. */
const MESSAGE_CHARS = 200;

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    // A template can nest deeper than the stack: that is a RangeError like any other failure of it.
    const why = error instanceof Error ? error.message.slice(0, MESSAGE_CHARS) : "it fails";
    if (error instanceof Refusal) {
      throw new ServiceError(
        "invalid_request",
        `The model's chat template refuses this conversation (${JSON.stringify(why)}). Send other messages.`,
      );
    }
    throw unusable(`cannot be applied (${JSON.stringify(why)})`, error);
  }
}

export function unusable(what: string, cause?: unknown): ServiceError {
  return new ServiceError(
    "model_unusable",
    `The model's chat template ${what}. Get the model from its original source and convert it again.`,
    { cause },
  );
}
