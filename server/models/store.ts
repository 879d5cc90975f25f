/** The models of this machine: the embedded ones, those in the user's folder, and those that other programs keep. */
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { ServiceError } from "../errors.ts";
import { errorCode } from "../files/disk.ts";
import { modelFolder } from "../files/folders.ts";
import { openError } from "./gguf/read-header.ts";
import { hasRewardHead, type LanguageFacts, readLanguageFacts } from "./language-model.ts";
import { type FoundModel, findLocalModels, isFoundName } from "./local/found.ts";
import type { ModelFacts } from "./model-file.ts";
import { readModelFacts } from "./read-model.ts";

export interface InstalledModel {
  /** Name under which it is asked for. */
  readonly id: string;
  readonly path: string;
  /** Comes with the package. */
  readonly embedded: boolean;
}

/** A reward model of ours judges; a language model writes, and judges by likelihood. */
export type InstalledFacts = ({ readonly kind: "reward" } & ModelFacts) | LanguageFacts;

export interface ListedModel extends InstalledModel {
  /** Undefined when the file is no usable model; `problem` then says why. */
  readonly facts: InstalledFacts | undefined;
  readonly problem: string | undefined;
}

/** Names of embedded models: media/NAME.gguf. */
const EMBEDDED = ["nano"] as const;
/** A plain file name: what is listed can be typed, and fits into a URL or a table as it is. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const EXTENSION = ".gguf";

export interface ModelStore {
  /** The user's folder; it need not exist. */
  readonly folder: string;
  /**
   * The model of this name, of ours or of another program; undefined when there is none. Only names, never paths.
   */
  find(name: string): Promise<InstalledModel | undefined>;
  /** All installed models by name, without opening them. */
  installed(): Promise<readonly InstalledModel[]>;
  /** All installed models with what their files say. */
  list(): Promise<readonly ListedModel[]>;
  /** Models that other programs keep on this disk. */
  found(): Promise<readonly FoundModel[]>;
}

/**
 * @param mediaFolder folder of the embedded models
 * @param folder the user's models
 */
export function openStore(mediaFolder: string, folder: string = modelFolder()): ModelStore {
  const installed = async (): Promise<readonly InstalledModel[]> => {
    const [embedded, own] = await Promise.all([names(mediaFolder), names(folder)]);
    const models: InstalledModel[] = [];
    for (const id of EMBEDDED) {
      if (embedded.includes(id)) models.push({ id, path: join(mediaFolder, id + EXTENSION), embedded: true });
    }
    for (const id of own) {
      // An embedded name cannot be taken over: answers of `nano` stay comparable.
      if (!models.some((model) => model.id === id)) {
        models.push({ id, path: join(folder, id + EXTENSION), embedded: false });
      }
    }
    return models;
  };
  const found = () => findLocalModels(process.env, process.platform, homedir());
  return {
    folder,
    installed,
    found,
    async find(name) {
      if (isFoundName(name)) {
        const model = (await found()).find(({ id }) => id === name);
        return model && { id: model.id, path: model.path, embedded: false };
      }
      // Only a name that the folder itself holds is found, so no name can lead elsewhere.
      return (await installed()).find((model) => model.id === name);
    },
    async list() {
      return Promise.all(
        (await installed()).map(async (model) => {
          try {
            return { ...model, facts: await factsOf(model.path), problem: undefined };
          } catch (error) {
            if (!(error instanceof ServiceError)) throw error;
            return { ...model, facts: undefined, problem: error.message };
          }
        }),
      );
    },
  };
}

async function factsOf(path: string): Promise<InstalledFacts> {
  return (await hasRewardHead(path))
    ? { kind: "reward", ...(await readModelFacts(path)) }
    : readLanguageFacts(path);
}

/** Names of the models in a folder, sorted; none when there is no such folder. */
async function names(folder: string): Promise<string[]> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw openError(folder, error);
  }
  return files
    .filter((file) => file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .filter((name) => NAME.test(name))
    .sort();
}
