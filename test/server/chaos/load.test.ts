/** A small training run against a real server: nothing lost or mixed up, and memory stays. The long form is a script. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverScript } from "../../../server/files/package-files.ts";
import { ROOT } from "../../helpers/paths.ts";

interface Summary {
  readonly samples: number;
  readonly lost: number;
  readonly editor_requests: number;
  readonly steps: readonly { readonly rss_mib?: number }[];
}

/** Ten seconds of work; the rest is for a machine that is busy with other things. */
const PATIENCE_MS = 600_000;

/** Steps after the first need no memory of their own; the bound leaves room for the garbage collector. */
const GROWTH_MIB = 64;

test(
  "three steps of a trainer keep their order and lose nothing while an editor asks in between",
  async () => {
    const script = join(ROOT, "scripts/load-test.mjs");
    const child = spawn(
      process.execPath,
      [script, "--samples", "128", "--steps", "3", "--server", serverScript, "--json"],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const [code] = await once(child, "close");
    expect(code, errors).toBe(0);
    const summary: Summary = JSON.parse(output);
    expect(summary).toMatchObject({ samples: 384, lost: 0 });
    expect(summary.editor_requests).toBeGreaterThan(0);
    const [first, ...later] = summary.steps.map(({ rss_mib }) => rss_mib);
    if (first === undefined) return;
    for (const size of later) expect(size).toBeLessThan(first + GROWTH_MIB);
  },
  PATIENCE_MS,
);
