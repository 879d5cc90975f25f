/** The parity fixtures as tests read them; training/parity/README.md says how they are made. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Family } from "../../server/models/gguf/keys.ts";
import type { Message } from "../../shared/contract.ts";
import { FIXTURES } from "./paths.ts";

export interface ParityRecord {
  readonly name: string;
  readonly messages: readonly Message[];
  readonly criterion?: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly truncated: boolean;
  /** float32, from the library's own class. */
  readonly reward: number;
  /** float64, from the generator's own forward pass. */
  readonly reward64: number;
  /** Instead of text, ids and reward: why the input cannot be shortened. */
  readonly refused?: string;
}

export interface ParityFixture {
  readonly name: string;
  readonly family: Family;
  /** Longest input, in tokens. */
  readonly limit: number;
  readonly records: readonly ParityRecord[];
  /** The Hugging Face folder. */
  readonly folder: string;
}

/** The committed set, or another one that CODESCALER_PARITY_DIR names. */
export const PARITY_DIR = process.env["CODESCALER_PARITY_DIR"] ?? join(FIXTURES, "parity");

export function parityFixtures(): ParityFixture[] {
  return readdirSync(PARITY_DIR, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const records = readFileSync(join(PARITY_DIR, entry.name, "records.json"), "utf8");
      const fixture = JSON.parse(records) as Omit<ParityFixture, "folder">;
      return { ...fixture, folder: join(PARITY_DIR, entry.name, "model") };
    });
}
