/** A window of the editor as a process: its program, and orders to it as JSON lines. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { serverScript } from "../../server/files/package-files.ts";
import { VERSION } from "../../shared/contract.ts";

export interface WindowProcess<Line> {
  readonly pid: number;
  /** Undefined when the window ends before it answers. */
  ask(order: unknown): Promise<Line | undefined>;
  /** Resolves when it has ended. */
  kill(): Promise<void>;
}

/**
 * @typeParam Line what its program writes: the answer to the order with this number, or something that it tells unasked
 * @param told each line that answers no order
 */
export function startWindow<Line extends { readonly id?: number }>(
  script: string,
  settings: unknown,
  env: NodeJS.ProcessEnv,
  told: (line: Line) => void = () => {},
): WindowProcess<Line> {
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => {});
  const waiting = new Map<number, (line: Line | undefined) => void>();
  let over = false;
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line: Line = JSON.parse(text);
    if (line.id === undefined) return told(line);
    waiting.get(line.id)?.(line);
    waiting.delete(line.id);
  });
  const closed = once(child, "close").then(() => {
    over = true;
    for (const resolve of waiting.values()) resolve(undefined);
  });
  let count = 0;
  return {
    pid: child.pid ?? 0,
    ask: (order) =>
      new Promise((resolve) => {
        if (over) return resolve(undefined);
        const id = ++count;
        waiting.set(id, resolve);
        child.stdin.write(`${JSON.stringify({ id, order })}\n`);
      }),
    kill: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

/** A TypeScript file as one program that Node runs. */
export async function bundledProgram(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

/** The built server, saying that it is of this version. */
export function serverOfVersion(version: string): string {
  const text = readFileSync(serverScript, "utf8");
  const own = `VERSION = "${VERSION}"`;
  if (!text.includes(own)) throw new Error("the bundle does not name its version as this test expects");
  return text.replace(own, `VERSION = "${version}"`);
}
