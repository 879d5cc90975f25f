/** The page about sources names what there is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HTTP_KINDS } from "../../../src/sources/setup/create.ts";
import { FAILURES } from "../../../src/sources/source-error.ts";

const page = readFileSync(join(__dirname, "../../../docs/sources.md"), "utf8");
const rows = (heading: string) => {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return Array.from(section.matchAll(/^\| `([\w-]+)` \|/gm), ([, name = ""]) => name);
};

test("every kind of source has its row", () => {
  expect(rows("Kinds").sort()).toEqual([...HTTP_KINDS, "editor"].sort());
});

test("every failure has its row", () => {
  expect(rows("What can be wrong").sort()).toEqual(Object.keys(FAILURES).sort());
});
