/** Reading folders of other programs, which may hold anything: bounded, and what cannot be read is empty. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Levels below a folder: the Hub's files lie four below it, Ollama's manifests too. */
const DEPTH = 5;
/** Entries looked at in one folder and all below: a thousand models have some ten thousand. */
const ENTRIES = 50_000;

/** Paths of all files and links to files below a folder that a name passes. */
export async function filesBelow(folder: string, wanted: (name: string) => boolean): Promise<string[]> {
  const files: string[] = [];
  let left = ENTRIES;
  const walk = async (path: string, depth: number): Promise<void> => {
    const entries: Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => byText(a.name, b.name))) {
      if (left-- <= 0) return;
      const below = join(path, entry.name);
      // A link to a folder is not followed: it could lead in a circle.
      if (entry.isDirectory() && depth < DEPTH) await walk(below, depth + 1);
      else if ((entry.isFile() || entry.isSymbolicLink()) && wanted(entry.name)) files.push(below);
    }
  };
  await walk(folder, 0);
  return files;
}

/** By code points, the same on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
