/** The file of recorded preferences: one JSON line each, readable by its user only, bounded, shared by all windows. */

import { appendFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renameFile } from "../../shared/rename-file.ts";
import { type Preference, parsePreference } from "./preference.ts";

/** A few thousand acceptances; the older half goes when there is more. */
export const MAX_BYTES = 16 * 1024 * 1024;

/** The file holds code: nobody else on the machine may read it. */
const PRIVATE = { mode: 0o600 } as const;

export class PreferenceStore {
  readonly #folder: string;
  readonly #file: string;
  /** Changes happen one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param folder made with the first record */
  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, "preferences.jsonl");
  }

  /** Adds a preference; of several with one id the last counts. */
  add(preference: Preference): Promise<void> {
    return this.#next(async () => {
      await mkdir(this.#folder, { recursive: true });
      await appendFile(this.#file, `${JSON.stringify(preference)}\n`, PRIVATE);
      if ((await stat(this.#file)).size > MAX_BYTES) await this.#shorten();
    });
  }

  /** All preferences, oldest first. */
  all(): Promise<Preference[]> {
    return this.#next(() => this.#read());
  }

  erase(): Promise<void> {
    return this.#next(() => rm(this.#file, { force: true }));
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #read(): Promise<Preference[]> {
    const text = await readFile(this.#file, "utf8").catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
      throw error;
    });
    const byId = new Map<string, Preference>();
    for (const line of text.split("\n")) {
      // A window that ended while it wrote leaves half a line.
      const preference = parsePreference(line);
      if (preference) byId.set(preference.id, preference);
    }
    return [...byId.values()];
  }

  async #shorten(): Promise<void> {
    const all = await this.#read();
    const kept = all.slice(Math.ceil(all.length / 2));
    const partial = `${this.#file}.${process.pid}`;
    await writeFile(partial, kept.map((one) => `${JSON.stringify(one)}\n`).join(""), PRIVATE);
    await renameFile(partial, this.#file);
  }
}
