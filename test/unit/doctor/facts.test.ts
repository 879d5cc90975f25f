/** What doctor finds out of this machine, on folders made for it. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../helpers/checkpoints.ts";
import { bundled, run } from "../../helpers/child.ts";
import { ROOT } from "../../helpers/paths.ts";

const NOBODY = 65_534;
// The script lies elsewhere, and finds the native library's package through this.
process.env["NODE_PATH"] = join(ROOT, "node_modules");

/** Finds out about the store in a process without the rights of root, to whom every folder can be written. */
async function storeOf(home: string): Promise<unknown> {
  const script = await bundled(`
    import { storeFacts } from "./server/doctor/facts.ts";
    process.env.CODESCALER_HOME = ${JSON.stringify(home)};
    if (process.getuid?.() === 0) process.setuid(${NOBODY});
    storeFacts().then((facts) => process.stdout.write(JSON.stringify(facts)));
  `);
  return JSON.parse((await run(process.execPath, [script])).stdout);
}

describe("the folder for models", () => {
  test("that can be written or made is told so", async () => {
    const home = temporaryFolder();
    chmodSync(home, 0o777);
    expect(await storeOf(home)).toMatchObject({ writable: true, free_bytes: expect.any(Number) });
  });

  test("that is there and cannot be written is told so", async () => {
    const home = temporaryFolder();
    chmodSync(home, 0o755);
    mkdirSync(join(home, "models"), { mode: 0o555 });
    expect(await storeOf(home)).toMatchObject({ folder: join(home, "models"), writable: false });
  });

  test("whose place a file has is told so", async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, "models"), "");
    chmodSync(home, 0o755);
    expect(await storeOf(home)).toMatchObject({ writable: false });
  });
});
