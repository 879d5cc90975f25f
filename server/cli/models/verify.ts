/** `codescaler models verify`: is a model file complete and undamaged? */

import { findModel } from "../../models/find-model.ts";
import { verifyModel } from "../../models/verify-model.ts";
import { readArgs } from "../arguments.ts";
import { describe, described, interruption, operandOf, print, progressLine } from "./output.ts";

export const usage = `Usage: codescaler models verify MODEL [--json]

Reads a whole model (a name or a file) and checks its structure and its checksum.`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } });
  const { path } = await findModel(operandOf(positionals, "models verify needs a model's name or file."));
  const show = progressLine();
  const { facts, tensors, sha256 } = await verifyModel(path, {
    signal: interruption("The check was cancelled."),
    onProgress: (done, total) => show({ step: "check", done, total }),
  });
  print(
    values.json,
    { ...described(facts), tensors, sha256 },
    `${path} is complete: ${describe(facts)}, sha256 ${sha256}`,
  );
  return 0;
}
