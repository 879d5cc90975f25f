/** `codescaler models`: which reward models there are, getting, making, checking and removing them. */

import { type Command, UsageError } from "../arguments.ts";
import * as convert from "./convert.ts";
import * as fit from "./fit.ts";
import * as importing from "./import.ts";
import * as list from "./list.ts";
import * as pull from "./pull.ts";
import * as remove from "./remove.ts";
import * as verify from "./verify.ts";

const VERBS: Readonly<Record<string, Command>> = {
  list,
  pull,
  import: importing,
  convert,
  fit,
  verify,
  remove,
};

export const usage = `${Object.values(VERBS)
  .map((verb) => verb.usage)
  .join("\n\n")}`;

export async function run(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  const verb = name !== undefined && Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb !== undefined) return verb.run(rest);
  const names = Object.keys(VERBS);
  throw new UsageError(
    `models needs ${names.slice(0, -1).join(", ")} or ${names.at(-1)}${name === undefined ? "" : `, not "${name}"`}.`,
  );
}
