/** Native calls outside the event loop's thread, by functions compiled here. */
import { expect, test } from "vitest";
import { compileLibrary, withoutCompiler } from "../../helpers/c-compiler.ts";
import { bundled, run } from "../../helpers/child.ts";

test.skipIf(withoutCompiler)(
  "native code has a megabyte of stack and more (needs Linux and a C compiler)",
  async () => {
    // In a process of its own, which an overflow would end.
    const script = await bundled(`
    import { inWorker, koffi } from "./server/engine/llama/native.ts";
    const use = koffi.load(process.argv[2]).func("int use_stack(int bytes)");
    inWorker(use, 4 * 1024 ** 2).then((result) => console.log("used", result));
  `);
    const { stdout, code } = await run(process.execPath, [script, compileLibrary("deep-stack.c")]);
    expect({ stdout, code }).toEqual({ stdout: "used 64\n", code: 0 });
  },
);
