/** The models of a running server: opened on first use; one is kept, a replaced one only until its last user is done. */

import type { DeviceReport } from "./contract.ts";
import { type EngineOptions, startEngine } from "./engine/start.ts";
import { ServiceError } from "./errors.ts";
import { type RewardModelFile, readRewardModel } from "./models/reward-model.ts";
import { createScorer, type Scorer } from "./scorer.ts";

/**
 * Opens a model file on an engine.
 * @param id the name under which it is reported
 */
export async function openModel(id: string, path: string, options: EngineOptions): Promise<Scorer> {
  return openFile(id, await readRewardModel(path), options);
}

async function openFile(id: string, file: RewardModelFile, options: EngineOptions): Promise<Scorer> {
  return createScorer(id, file, await startEngine(file, options));
}

/** Where the host learns the file of a name; the model store is one. */
export interface ModelFinder {
  find(name: string): Promise<{ readonly path: string } | undefined>;
}

interface Opened {
  readonly name: string;
  readonly scorer: Promise<Scorer>;
  /** Where it runs, once it is loaded. */
  device: DeviceReport | undefined;
  /** Requests that use it now; it is closed when it was replaced and this falls to 0. */
  users: number;
  replaced: boolean;
}

export class ModelHost {
  readonly #finder: ModelFinder;
  readonly #options: EngineOptions;
  readonly #fallback: string;
  #current: Opened | undefined;

  /** @param fallback the model of requests that name none */
  constructor(finder: ModelFinder, fallback: string, options: EngineOptions) {
    this.#finder = finder;
    this.#fallback = fallback;
    this.#options = options;
  }

  /** Name of the model in memory. */
  get loaded(): string | undefined {
    return this.#current?.name;
  }

  /** Where the model in memory runs; undefined while none is. */
  get device(): DeviceReport | undefined {
    return this.#current?.device;
  }

  /**
   * Runs work with a model, loading it first where needed.
   * @throws ServiceError model_not_found, model_unusable, engine_failed
   */
  async use<T>(name: string | undefined, work: (scorer: Scorer) => Promise<T>): Promise<T> {
    const opened = await this.#open(name ?? this.#fallback);
    try {
      return await work(await opened.scorer);
    } finally {
      opened.users--;
      if (opened.replaced && opened.users === 0) await closeOpened(opened);
    }
  }

  async close(): Promise<void> {
    const opened = this.#current;
    this.#current = undefined;
    if (opened) await closeOpened(opened);
  }

  /** The model with its new user counted: between choosing and counting nothing may run that could close it. */
  async #open(name: string): Promise<Opened> {
    if (this.#current?.name === name) return counted(this.#current);
    const entry = await this.#finder.find(name);
    if (!entry) {
      throw new ServiceError(
        "model_not_found",
        `No model named "${name}" is installed. "codescaler models list" shows which are.`,
      );
    }
    // A file that is no usable model must not push out the one that works.
    const file = await readRewardModel(entry.path);
    // Another request may have opened it meanwhile.
    if (this.#current?.name === name) return counted(this.#current);
    const before = this.#current;
    const scorer = openFile(name, file, {
      ...this.#options,
      onDevice: (device) => {
        opened.device = device;
        this.#options.onDevice?.(device);
      },
    });
    const opened: Opened = { name, scorer, device: undefined, users: 1, replaced: false };
    this.#current = opened;
    // A model that fails to load must not stay the current one.
    scorer.catch(() => {
      if (this.#current === opened) this.#current = undefined;
    });
    if (before) {
      before.replaced = true;
      if (before.users === 0) await closeOpened(before);
    }
    return opened;
  }
}

function counted(opened: Opened): Opened {
  opened.users++;
  return opened;
}

async function closeOpened(opened: Opened): Promise<void> {
  // One that never loaded has nothing to close, and its failure was reported to who asked for it.
  const scorer = await opened.scorer.catch(() => undefined);
  await scorer?.close();
}
