/** `codescaler models convert`: a Hugging Face folder becomes one GGUF anywhere. */
import { resolve } from "node:path";
import { convert } from "../../models/convert/convert-checkpoint.ts";
import { FILE_TYPES } from "../../models/gguf/ggml.ts";
import { FAMILIES } from "../../models/gguf/keys.ts";
import { oneOf, readArgs, UsageError, wholeNumber } from "../arguments.ts";
import { describe, described, interruption, operandOf, print, progressLine } from "./output.ts";

export const usage = `Usage: codescaler models convert DIR --out FILE.gguf [options]

Turns a Hugging Face folder (config.json, safetensors, tokenizer.json, chat template) into one GGUF with the reward
head inside. A criteria.json (criterion → wording of its system turn) and a calibration.json (slope, intercept) in the
folder become part of it. The file appears only when it is complete and verified.

  --out FILE       the new file
  --type TYPE      ${FILE_TYPES.join(", ")} (default q8_0)
  --family F       ${FAMILIES.join(", ")} (default: by class and name)
  --source S       where the model comes from, for the record (default: the repository or folder)
  --revision R     its revision, for the record (default: the commit where the folder shows it)
  --max-tokens N   longest input (default: what the model allows, at most 4096)
  --json           print one JSON document`;

/** Options of a conversion, for every verb that converts. */
export const CONVERT_ARGS = {
  type: { type: "string", default: "q8_0" },
  family: { type: "string" },
  source: { type: "string" },
  revision: { type: "string" },
  "max-tokens": { type: "string" },
} as const;

interface ConvertValues {
  readonly type: string;
  readonly family?: string | undefined;
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
  readonly "max-tokens"?: string | undefined;
}

/** @throws UsageError for a value that cannot be meant */
export function convertOptions(values: ConvertValues) {
  const maxTokens = values["max-tokens"];
  return {
    type: oneOf("type", values.type, FILE_TYPES),
    family: values.family === undefined ? undefined : oneOf("family", values.family, FAMILIES),
    source: values.source,
    revision: values.revision,
    maxTokens: maxTokens === undefined ? undefined : wholeNumber("max-tokens", maxTokens, 16, 1_048_576),
  };
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    ...CONVERT_ARGS,
    out: { type: "string" },
    json: { type: "boolean", default: false },
  });
  const folder = operandOf(positionals, "models convert needs the folder of a model.");
  if (values.out === undefined) throw new UsageError("models convert needs --out FILE.gguf.");
  // Also keeps a slip of the fingers from replacing the model's own files.
  if (!values.out.endsWith(".gguf")) throw new UsageError("--out must name a file that ends in .gguf.");
  const facts = await convert(resolve(folder), resolve(values.out), {
    ...convertOptions(values),
    signal: interruption("The conversion was cancelled; nothing was written."),
    onProgress: progressLine(),
  });
  print(values.json, described(facts), `${facts.path}: ${describe(facts)}`);
  return 0;
}
