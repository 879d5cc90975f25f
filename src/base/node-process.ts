/** Running our own scripts on the editor's Node. */
import type { Readable } from "node:stream";

/** Longest line that is kept. */
export const LINE_LENGTH = 2000;

/** The environment without what steers the editor's own processes and would steer ours. */
export function scriptEnvironment(
  environment: NodeJS.ProcessEnv,
  extra: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const own = Object.entries(environment).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$)/.test(name),
  );
  return { ...Object.fromEntries(own), ELECTRON_RUN_AS_NODE: "1", ...extra };
}

/** Calls back for every whole line of a stream. */
export function onLines(stream: Readable, listener: (line: string) => void): void {
  let rest = "";
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = (lines.pop() ?? "").slice(-LINE_LENGTH);
    for (const line of lines) if (line !== "") listener(line);
  });
  stream.on("end", () => {
    if (rest !== "") listener(rest);
    rest = "";
  });
}
