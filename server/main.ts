/** argv → command. */

import { VERSION } from "../shared/contract.ts";
import { type Command, reasonOf, UsageError } from "./cli/arguments.ts";
import { ServiceError } from "./errors.ts";

/** Loaded when asked for, so that one command does not pay for another's libraries. */
const COMMANDS: Readonly<Record<string, { readonly does: string; load(): Promise<Command> }>> = {
  rank: {
    does: "rank candidates for a problem or at a cursor, best first",
    load: () => import("./cli/rank.ts"),
  },
  complete: {
    does: "write completions with a code model, and rank them",
    load: () => import("./cli/complete.ts"),
  },
  extract: { does: "show which program a reply contains, and why", load: () => import("./cli/extract.ts") },
  serve: { does: "run the reward server", load: () => import("./cli/serve/serve.ts") },
  mcp: { does: "offer ranking to agents, by the Model Context Protocol", load: () => import("./cli/mcp.ts") },
  models: {
    does: "list, get, convert, verify and remove reward models",
    load: () => import("./cli/models/models.ts"),
  },
  doctor: {
    does: "say what this machine has, what models run on, and what can be done",
    load: () => import("./cli/doctor.ts"),
  },
  devices: { does: "add or remove the CUDA build", load: () => import("./cli/devices.ts") },
  eval: { does: "measure a reward model on judged samples", load: () => import("./cli/eval/eval.ts") },
  bench: {
    does: "measure scoring speed against a ceiling of the same run",
    load: () => import("./cli/bench.ts"),
  },
};

/** Not for people: what the server runs in a child process, because a broken driver may end that, or in a thread. */
const HIDDEN: Readonly<Record<string, () => Promise<Command>>> = {
  probe: () => import("./cli/probe.ts"),
  syntax: () => import("./ranking/syntax-worker.ts"),
};

const HELP = `Usage: codescaler <command> [options]

Picks the best of N programs with a reward model, without running any of them.

Commands
${Object.entries(COMMANDS)
  .map(([name, { does }]) => `  ${name.padEnd(9)}${does}`)
  .join("\n")}

codescaler <command> --help explains one. --version prints ${VERSION}.
A failure prints one sentence; --debug adds where it came from.
Exit codes: 0 done, 1 the job failed, 2 wrong usage.`;

async function main(argv: readonly string[]): Promise<number> {
  const args = argv.filter((argument) => argument !== "--debug");
  const name = args.shift();
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(`${HELP}\n`);
    return name === undefined ? 2 : 0;
  }
  if (name === "--version") {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name)
    ? COMMANDS[name]?.load
    : Object.hasOwn(HIDDEN, name)
      ? HIDDEN[name]
      : undefined;
  if (!load) throw new UsageError(`There is no command "${name}".`);
  const command = await load();
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${command.usage}\n`);
    return 0;
  }
  return command.run(args);
}

/** Says what went wrong in one sentence on stderr. */
function report(error: unknown, debug: boolean): number {
  const stack = debug && error instanceof Error ? `\n${error.stack}` : "";
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message} "codescaler --help" shows what there is.${stack}\n`);
    return 2;
  }
  if (error instanceof ServiceError) process.stderr.write(`${error.message}${stack}\n`);
  else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`Something went wrong: ${message} (--debug shows where)${stack}\n`);
  }
  return 1;
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`The output cannot be written (${reasonOf(error)}).\n`);
  process.exit(1);
});

main(process.argv.slice(2))
  .catch((error: unknown) => report(error, process.argv.includes("--debug")))
  .then((code) => {
    process.exitCode = code;
  });
