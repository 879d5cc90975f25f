import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../server/errors.ts";
import type { JsonObject } from "../../../server/files/json-file.ts";
import { llama3Divisors, parseConfig } from "../../../server/models/convert/checkpoint-config.ts";
import { parseTokenizer } from "../../../server/models/convert/tokenizer-json.ts";
import { tinyCheckpoint, tokenizerJson } from "../../helpers/checkpoints.ts";

/** All paths to values inside a JSON document. */
function paths(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [[...at]];
  const inside = Object.entries(value)
    // The 256 bytes of the vocabulary are all alike: a few of them are enough.
    .slice(0, 12)
    .flatMap(([key, inner]) => paths(inner, [...at, key]));
  return [[...at], ...inside];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy: Record<string, unknown> = Object.assign(Array.isArray(value) ? [] : {}, value);
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

function holds(document: Record<string, unknown>, parse: (spoiled: JsonObject) => unknown): void {
  const places = paths(document).filter((path) => path.length > 0);
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.jsonValue(), (path, value) => {
      try {
        parse(replaced(document, path, value) as JsonObject);
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError);
        expect((error as ServiceError).code).toBe("model_unusable");
      }
    }),
    { numRuns: 1000 },
  );
}

/** Pair of dimensions → divisor, for those that are blended between 1 and 8. */
const REFERENCE = [
  [29, 1.20748],
  [30, 1.55341],
  [31, 2.02631],
  [32, 2.69453],
  [33, 3.68425],
  [34, 5.25733],
] as const;

describe("JSON files of a checkpoint", () => {
  test("whatever stands in a config, the answer is a checked one or one sentence", () => {
    const { config } = tinyCheckpoint("llama", {
      config: {
        rope_scaling: {
          rope_type: "llama3",
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 64,
        },
        layer_types: ["full_attention"],
      },
    });
    expect(parseConfig("config.json", config).llama3Rope).toBeDefined();
    holds(config, (spoiled) => parseConfig("config.json", spoiled));
  });

  test("whatever stands in a tokenizer, the answer is a checked one or one sentence", () => {
    holds(tokenizerJson(), (spoiled) => parseTokenizer("tokenizer.json", spoiled, {}, 270));
  });

  test("whatever stands in its settings, the answer is a checked one or one sentence", () => {
    const settings = {
      eos_token: "<|im_end|>",
      pad_token: { content: "<|endoftext|>" },
      added_tokens_decoder: { "259": { content: "<think>", lstrip: false } },
    };
    holds(settings, (spoiled) => parseTokenizer("tokenizer.json", tokenizerJson(), spoiled, 270));
  });

  test("an added token that only the settings have is one, too", () => {
    const settings = { added_tokens_decoder: { "262": { content: "<late>" } } };
    const { tokens, types } = parseTokenizer("tokenizer.json", tokenizerJson(), settings, 270);
    expect([tokens[262], types[262]]).toEqual(["<late>", 3]);
  });

  test("Llama 3.1's own scaling gives the divisors of its reference implementation", () => {
    const scaling = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8192 };
    const divisors = llama3Divisors(scaling, 128, 500_000);
    // From transformers 5 (`_compute_llama3_parameters`): inv_freq without scaling ÷ with scaling.
    expect(divisors.length).toBe(64);
    expect([...divisors.subarray(0, 29)]).toEqual(new Array(29).fill(1));
    for (const [pair, expected] of REFERENCE) expect(divisors[pair]).toBeCloseTo(expected, 4);
    expect([...divisors.subarray(35)]).toEqual(new Array(29).fill(8));
  });
});
