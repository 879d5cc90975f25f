/** Runs a piece of TypeScript in a Node process of its own: for limits and signals that concern a whole process. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "esbuild";
import { temporaryFolder } from "./checkpoints.ts";
import { ROOT } from "./paths.ts";

/** Bundles a script whose imports are relative to the project's root. */
export async function bundled(script: string): Promise<string> {
  const outfile = join(temporaryFolder(), "script.cjs");
  await build({
    stdin: { contents: script, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["koffi"],
    // The bundle lies elsewhere; files of the package are still found from here.
    define: { __dirname: JSON.stringify(join(ROOT, "server")) },
    outfile,
    logLevel: "error",
  });
  return outfile;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; `started` may talk to it meanwhile. */
export function run(
  command: string,
  args: readonly string[],
  started?: (child: ChildProcess) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // A bundle lies in a folder without packages.
    const env = { ...process.env, NODE_PATH: join(ROOT, "node_modules") };
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    started?.(child);
  });
}
