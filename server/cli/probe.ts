/**
 * `codescaler probe [--list] FOLDER [LIBRARY…]`: what one llama.cpp build finds here, as one JSON line
 * `{"kind":"usable","devices"}` or `{"kind":"absent","problem"}`. Run by devices/probe.ts in a child process.
 */
import type { ProbeResult } from "../devices/probe-cache.ts";
import { probeDevices } from "../engine/llama/probe-devices.ts";
import { readArgs, UsageError } from "./arguments.ts";

export const usage = "Usage: codescaler probe [--list] FOLDER [LIBRARY…]";

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { list: { type: "boolean", default: false } });
  const [folder, ...needed] = positionals;
  if (folder === undefined) throw new UsageError("probe needs the folder of a build.");
  const result: ProbeResult = await probeDevices(folder, needed, !values.list);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return 0;
}
