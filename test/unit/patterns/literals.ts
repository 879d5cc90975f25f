/** The regular expressions of the product, found by its own parser. */
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import type { SyntaxRuntime } from "../../../shared/syntax/parsing/parser.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDERS = ["server", "shared", "src", "media"];

export interface Literal {
  /** `/pattern/flags`, as it is written. */
  readonly key: string;
  readonly pattern: string;
  readonly flags: string;
  /** Files that have it, from the root. */
  readonly files: readonly string[];
}

/** All source files of the product, from the root. */
export function sourceFiles(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(?:ts|js|mjs|cjs)$/.test(file))
      .map((file) => `${folder}/${file.split(sep).join("/")}`),
  );
}

export function readSource(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** Every regular expression literal once. */
export async function literals(runtime: SyntaxRuntime): Promise<Literal[]> {
  await runtime.load("typescript");
  const found = new Map<string, { pattern: string; flags: string; files: Set<string> }>();
  for (const file of sourceFiles()) {
    const tree = runtime.parse("typescript", readSource(file));
    if (tree === null) throw new Error(`${file} cannot be parsed`);
    for (const node of tree.rootNode.descendantsOfType(["regex"])) {
      const pattern = node.childForFieldName("pattern")?.text ?? "";
      const flags = node.childForFieldName("flags")?.text ?? "";
      const one = found.get(node.text) ?? { pattern, flags, files: new Set<string>() };
      one.files.add(file);
      found.set(node.text, one);
    }
    tree.delete();
  }
  return [...found].map(([key, { pattern, flags, files }]) => ({ key, pattern, flags, files: [...files] }));
}
