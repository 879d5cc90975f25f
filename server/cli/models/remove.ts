/** `codescaler models remove`: deletes an installed model, or what is left of its download. */
import { gigabytes } from "../../../shared/gigabytes.ts";
import { mediaFolder } from "../../files/package-files.ts";
import { type Removed, removeModel } from "../../models/remove-model.ts";
import { openStore } from "../../models/store.ts";
import { readArgs } from "../arguments.ts";
import { operandOf, print } from "./output.ts";

export const usage = `Usage: codescaler models remove NAME [--json]

Deletes an installed model, and what is left of a download of it that was not finished.`;

const WORDS: Readonly<Record<Removed["what"][number], string>> = {
  model: "the model",
  tokenizer: "its tokenizer",
  download: "its unfinished download",
};

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } });
  const name = operandOf(positionals, "models remove needs the name of a model.");
  const { what, bytes } = await removeModel(openStore(mediaFolder), name);
  const removed = what.map((one) => WORDS[one]).join(" and ");
  print(
    values.json,
    { id: name, removed: what, bytes },
    `${name}: removed ${removed}, ${gigabytes(bytes)} freed.`,
  );
  return 0;
}
