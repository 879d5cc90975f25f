import { expect, test } from "vitest";
import { renameFile } from "../../../shared/rename-file.ts";

/** Refuses so many times, with a system error of that code. */
function refusing(times: number, code: string): { once: () => Promise<void>; asked: () => number } {
  let asked = 0;
  return {
    once: async () => {
      asked += 1;
      if (asked <= times) throw Object.assign(new Error(`${code}: refused`), { code });
    },
    asked: () => asked,
  };
}

test("a file that is open elsewhere for a moment is renamed once it is not", async () => {
  for (const code of ["EPERM", "EACCES", "EBUSY"]) {
    const { once, asked } = refusing(3, code);
    await renameFile("a", "b", once);
    expect(asked()).toBe(4);
  }
});

test("a refusal that stays is told, and any other one at once", async () => {
  const busy = refusing(1000, "EBUSY");
  await expect(renameFile("a", "b", busy.once)).rejects.toThrow("EBUSY");
  expect(busy.asked()).toBe(10);
  const full = refusing(1000, "ENOSPC");
  await expect(renameFile("a", "b", full.once)).rejects.toThrow("ENOSPC");
  expect(full.asked()).toBe(1);
});
