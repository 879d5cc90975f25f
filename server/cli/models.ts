/** `codescaler models`: lists installed reward models, converts Hugging Face folders, verifies files. */
import { resolve } from "node:path";
import { ServiceError } from "../errors.ts";
import { type ConvertProgress, convert } from "../models/convert.ts";
import { gigabytes } from "../models/disk.ts";
import { FILE_TYPES } from "../models/ggml.ts";
import { FAMILIES } from "../models/gguf-keys.ts";
import type { ModelFacts } from "../models/reward-model.ts";
import { type ListedModel, openStore } from "../models/store.ts";
import { verifyModel } from "../models/verify.ts";
import { mediaFolder } from "../paths.ts";
import { findModel } from "./engine-options.ts";
import { formatTable } from "./table.ts";
import { oneOf, readArgs, UsageError, wholeNumber } from "./usage.ts";

export const usage = `Usage: codescaler models list [--json]
       codescaler models convert DIR --out FILE.gguf [options]
       codescaler models verify MODEL [--json]

list shows the installed models: the embedded one and those in the user's folder.
convert turns a Hugging Face folder (config.json, safetensors, tokenizer.json, chat template) into one GGUF
with the reward head inside. A criteria.json (criterion → wording of its system turn) and a calibration.json
(slope, intercept) in the folder become part of it. The file appears only when it is complete and verified.
verify reads a whole model (a name or a file) and checks its structure and its checksum.

  --out FILE       the new file (convert)
  --type TYPE      ${FILE_TYPES.join(", ")} (default q8_0)
  --family F       ${FAMILIES.join(", ")} (default: by class and name)
  --source S       where the model comes from, for the record (default: the repository or folder)
  --revision R     its revision, for the record (default: the commit where the folder shows it)
  --max-tokens N   longest input (default: what the model allows, at most 4096)
  --json           print one JSON document`;

/** Share of the work between two lines of progress where the terminal cannot rewrite one. */
const PROGRESS_STEP = 0.1;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    out: { type: "string" },
    type: { type: "string", default: "q8_0" },
    family: { type: "string" },
    source: { type: "string" },
    revision: { type: "string" },
    "max-tokens": { type: "string" },
    json: { type: "boolean", default: false },
  });
  const [verb, operand, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`"${others[0]}" is one argument too many.`);
  const print = (json: unknown, text: string): void => {
    process.stdout.write(values.json ? `${JSON.stringify(json)}\n` : `${text}\n`);
  };
  switch (verb) {
    case "list": {
      const models = await openStore(mediaFolder).list();
      print(models.map(listed), describeList(models));
      return 0;
    }
    case "convert": {
      if (operand === undefined) throw new UsageError("models convert needs the folder of a model.");
      if (values.out === undefined) throw new UsageError("models convert needs --out FILE.gguf.");
      // Also keeps a slip of the fingers from replacing the model's own files.
      if (!values.out.endsWith(".gguf")) throw new UsageError("--out must name a file that ends in .gguf.");
      const maxTokens = values["max-tokens"];
      const facts = await convert(resolve(operand), resolve(values.out), {
        type: oneOf("type", values.type, FILE_TYPES),
        family: values.family === undefined ? undefined : oneOf("family", values.family, FAMILIES),
        source: values.source,
        revision: values.revision,
        maxTokens: maxTokens === undefined ? undefined : wholeNumber("max-tokens", maxTokens, 16, 1_048_576),
        signal: interruption("The conversion was cancelled; nothing was written."),
        onProgress: progressLine(),
      });
      print(described(facts), `${facts.path}: ${describe(facts)}`);
      return 0;
    }
    case "verify": {
      if (operand === undefined) throw new UsageError("models verify needs a model's name or file.");
      const { path } = await findModel(operand);
      const show = progressLine();
      const { facts, tensors, sha256 } = await verifyModel(path, {
        signal: interruption("The check was cancelled."),
        onProgress: (done, total) => show({ step: "check", done, total }),
      });
      print(
        { ...described(facts), tensors, sha256 },
        `${path} is complete: ${describe(facts)}, sha256 ${sha256}`,
      );
      return 0;
    }
    default:
      throw new UsageError(
        `models needs list, convert or verify${verb === undefined ? "" : `, not "${verb}"`}.`,
      );
  }
}

/** Aborts at the first Ctrl-C or polite end; the work then cleans up and the sentence is the failure. */
function interruption(sentence: string): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort(new ServiceError("cancelled", sentence)));
  }
  return controller.signal;
}

/** Progress on stderr: one line that is rewritten in a terminal, a line every tenth elsewhere. */
function progressLine(): (progress: ConvertProgress) => void {
  const terminal = process.stderr.isTTY;
  let shown = "";
  return ({ step, done, total }) => {
    const name = step === "weights" ? "Converting" : "Checking";
    const fraction = Math.min(1, done / total);
    const steps = terminal ? 0.01 : PROGRESS_STEP;
    const text = `${name} ${Math.round(Math.floor(fraction / steps + 1e-9) * steps * 100)} % of ${gigabytes(total)}`;
    if (text === shown) return;
    shown = text;
    process.stderr.write(terminal ? `\r${text}\u001b[K${fraction === 1 ? "\n" : ""}` : `${text}\n`);
  };
}

function described(facts: ModelFacts) {
  return {
    path: facts.path,
    family: facts.family,
    source: facts.source,
    revision: facts.revision,
    type: facts.type,
    max_tokens: facts.maxTokens,
    hidden: facts.hidden,
    bytes: facts.fileBytes,
  };
}

function describe(facts: ModelFacts): string {
  return `${facts.source} (${facts.revision}), family ${facts.family}, ${facts.type}, ${gigabytes(facts.fileBytes)}`;
}

function listed({ id, path, embedded, facts, problem }: ListedModel) {
  return { id, path, embedded, ...(facts && described(facts)), ...(problem !== undefined && { problem }) };
}

function describeList(models: readonly ListedModel[]): string {
  if (models.length === 0) return "No model is installed.";
  return formatTable(
    ["model", "family", "type", "size", "max tokens", "source"],
    models.map(({ id, facts, problem }) =>
      facts === undefined
        ? [id, "unusable", "", "", "", problem ?? ""]
        : [
            id,
            facts.family,
            facts.type,
            gigabytes(facts.fileBytes),
            String(facts.maxTokens),
            `${facts.source} (${facts.revision})`,
          ],
    ),
  );
}
