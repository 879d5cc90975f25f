/** `codescaler models import`: installs a folder or a GGUF that was copied over, without a network. */
import { modelFolder } from "../../files/folders.ts";
import { FILE_TYPES } from "../../models/gguf/ggml.ts";
import { importModel, importTokenizer } from "../../models/import-model.ts";
import { readArgs } from "../arguments.ts";
import { CONVERT_ARGS, convertOptions } from "./convert.ts";
import {
  describe,
  described,
  interruption,
  operandOf,
  print,
  progressLine,
  tokenizerFacts,
  tokenizerInstalled,
} from "./output.ts";

export const usage = `Usage: codescaler models import DIR|FILE.gguf [options]

Installs a model without a network: a Hugging Face folder is converted, a GGUF made by CodeScaler is checked and copied.

  --name N         name to install under (default: by repository, folder or file)
  --type TYPE      of a folder: ${FILE_TYPES.join(", ")} (default q8_0)
  --family, --source, --revision, --max-tokens  of a folder: as for convert
  --tokenizer      of a folder: only what a remote engine needs here (see serve --engine); no weights
  --json           print one JSON document`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    ...CONVERT_ARGS,
    name: { type: "string" },
    tokenizer: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  const path = operandOf(positionals, "models import needs a folder or a GGUF file.");
  const options = { ...convertOptions(values), folder: modelFolder(), name: values.name };
  if (values.tokenizer) {
    const { name, facts } = await importTokenizer(path, options);
    print(values.json, { id: name, ...tokenizerFacts(facts) }, tokenizerInstalled(name, facts));
    return 0;
  }
  const { name, facts } = await importModel(path, {
    ...options,
    signal: interruption("The import was cancelled; nothing was installed."),
    onProgress: progressLine(),
  });
  print(values.json, { id: name, ...described(facts) }, `${name} is installed: ${describe(facts)}`);
  return 0;
}
