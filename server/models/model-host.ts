/**
 * The models of a running server: opened on first use; one is kept, a replaced one only until its last user is done.
 * Requests for a model that is being loaded wait for it.
 */

import type { DeviceReport } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";

/** What a model becomes once it is loaded: a judge, or a writer. */
interface Closable {
  close(): Promise<void>;
}

/** Loads a model; told where it runs. */
export type Load<Model> = (onDevice: (device: DeviceReport) => void) => Promise<Model>;

/**
 * Reads a model's file; what it returns loads the model.
 * @throws ServiceError model_unusable, model_not_found
 */
export type ReadModel<Model> = (name: string, path: string) => Promise<Load<Model>>;

/** Where the host learns the file of a name; the model store is one. */
export interface ModelFinder {
  /** `id`: the model's own name, where it was asked for by another. */
  find(name: string): Promise<{ readonly path: string; readonly id?: string } | undefined>;
}

/** Which model the server has. */
export interface HostState {
  readonly state: "loading" | "ready" | "unloaded";
  readonly model: string | null;
  /** Why the loaded model runs on something slower than it could. */
  readonly reason?: string;
}

interface Opened<Model = unknown> {
  readonly name: string;
  readonly model: Promise<Model>;
  state: "loading" | "ready";
  /** Where it runs, once it is loaded. */
  readonly device: DeviceReport | undefined;
  /** Requests that use it now; it is closed when it was replaced and this falls to 0. */
  users: number;
  replaced: boolean;
  /** Resolves when its memory is free again. */
  readonly closed: Promise<void>;
  readonly close: () => Promise<void>;
}

export class ModelHost<Model extends Closable> {
  readonly #finder: ModelFinder;
  readonly #read: ReadModel<Model>;
  readonly #fallback: string;
  readonly #changed: (state: HostState) => void;
  #current: Opened<Model> | undefined;
  /** Models before the present one, oldest first, while they still take memory. */
  readonly #leaving = new Set<Opened>();

  /**
   * @param fallback the model of requests that name none
   * @param read reads a model's file
   * @param changed told whenever the state is another
   */
  constructor(
    finder: ModelFinder,
    fallback: string,
    read: ReadModel<Model>,
    changed: (state: HostState) => void = () => {},
  ) {
    this.#finder = finder;
    this.#fallback = fallback;
    this.#read = read;
    this.#changed = changed;
  }

  get state(): HostState {
    const { state = "unloaded", name = null, device } = this.#current ?? {};
    return { state, model: name, ...(device?.reason && { reason: device.reason }) };
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
  async use<T>(name: string | undefined, work: (model: Model) => Promise<T>): Promise<T> {
    const opened = await this.#open(name ?? this.#fallback);
    try {
      return await work(await opened.model);
    } finally {
      opened.users--;
      if (opened.replaced && opened.users === 0) await opened.close();
    }
  }

  /** Gives the model's memory back, unless a request uses it. The next request loads it again. */
  async unload(): Promise<void> {
    const opened = this.#current;
    if (opened?.users !== 0) return;
    this.#current = undefined;
    this.#leaving.add(opened);
    this.#changed(this.state);
    await opened.close();
  }

  /** Ends all models; requests that use one fail. */
  async close(): Promise<void> {
    const all = [...this.#leaving, ...(this.#current ? [this.#current] : [])];
    this.#current = undefined;
    await Promise.all(all.map((opened) => opened.close()));
  }

  /** The model with its new user counted: between choosing and counting nothing may run that could close it. */
  async #open(name: string): Promise<Opened<Model>> {
    if (this.#current?.name === name) return counted(this.#current);
    const entry = await this.#finder.find(name);
    if (!entry) {
      throw new ServiceError(
        "model_not_found",
        `No model named "${name}" is installed. "codescaler models list" shows which are.`,
      );
    }
    // A file that is no usable model must not push out the one that works.
    const id = entry.id ?? name;
    if (this.#current?.name === id) return counted(this.#current);
    const start = await this.#read(id, entry.path);
    // Another request may have opened it meanwhile.
    if (this.#current?.name === id) return counted(this.#current);
    const before = this.#current;
    if (before) {
      before.replaced = true;
      this.#leaving.add(before);
      if (before.users === 0) void before.close();
    }
    const opened = this.#loading(id, start, [...this.#leaving]);
    this.#current = opened;
    this.#changed(this.state);
    return opened;
  }

  #loading(name: string, start: Load<Model>, before: readonly Opened[]): Opened<Model> {
    let device: DeviceReport | undefined;
    const load = () =>
      start((report) => {
        device = report;
      });
    const model = loadBeside(load, () => device, before);
    let closing: Promise<void> | undefined;
    let closed = () => {};
    const opened: Opened<Model> = {
      name,
      model,
      state: "loading",
      get device() {
        return device;
      },
      users: 1,
      replaced: false,
      closed: new Promise((resolve) => {
        closed = resolve;
      }),
      close: () => {
        // One that never loaded has nothing to close, and its failure was reported to who asked for it.
        closing ??= model
          .then(
            (loaded) => loaded.close(),
            () => {},
          )
          .finally(() => {
            this.#leaving.delete(opened);
            closed();
          });
        return closing;
      },
    };
    model.then(
      () => {
        opened.state = "ready";
        if (this.#current === opened) this.#changed(this.state);
      },
      () => {
        closed();
        // A model that fails to load must not stay the current one.
        if (this.#current === opened) this.#current = undefined;
        this.#changed(this.state);
      },
    );
    return opened;
  }
}

/**
 * Loads a model while the last one before still answers; after it, where it has nothing to answer. Where there was no
 * room for both, it is loaded once more when the other is gone: requests wait, and none is refused.
 * @param before models that still take memory, oldest first; all but the last are waited for: never are there three
 */
async function loadBeside<Model extends Closable>(
  load: () => Promise<Model>,
  device: () => DeviceReport | undefined,
  before: readonly Opened[],
): Promise<Model> {
  await Promise.all(before.slice(0, -1).map(({ closed }) => closed));
  const last = before.at(-1);
  if (!last) return load();
  if (last.users === 0) {
    await last.closed;
    return load();
  }
  let first: Model;
  try {
    first = await load();
  } catch (error) {
    if (!(error instanceof ServiceError && error.code === "engine_failed")) throw error;
    await last.closed;
    return load();
  }
  // With a reason it runs on less than the best device, perhaps only because the other took the memory.
  if (!last.device?.gpu_layers || !device()?.reason) return first;
  await first.close();
  await last.closed;
  return load();
}

function counted<Model>(opened: Opened<Model>): Opened<Model> {
  opened.users++;
  return opened;
}
