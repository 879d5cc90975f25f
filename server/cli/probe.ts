/** `codescaler probe FOLDER`: devices of one llama.cpp build as JSON. Run by engine/start.ts in a child process. */
import { probeDevices } from "../engine/start.ts";
import { UsageError } from "./usage.ts";

export const usage = "Usage: codescaler probe FOLDER";

export async function run(args: string[]): Promise<number> {
  const [folder] = args;
  if (folder === undefined) throw new UsageError("probe needs the folder of a build.");
  process.stdout.write(`${JSON.stringify(await probeDevices(folder))}\n`);
  return 0;
}
