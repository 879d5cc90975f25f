/** The models of this machine: the embedded ones and those in the user's folder. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../errors.ts";
import { errorCode } from "../files/disk.ts";
import { modelFolder } from "../files/folders.ts";
import { openError } from "./gguf/read.ts";
import type { ModelFacts } from "./model-file.ts";
import { readModelFacts } from "./read-model.ts";

export interface InstalledModel {
  /** Name under which it is asked for. */
  readonly id: string;
  readonly path: string;
  /** Comes with the package. */
  readonly embedded: boolean;
}

export interface ListedModel extends InstalledModel {
  /** Undefined when the file is no usable reward model; `problem` then says why. */
  readonly facts: ModelFacts | undefined;
  readonly problem: string | undefined;
}

/** Names of embedded models: media/NAME.gguf. */
const EMBEDDED = ["nano"] as const;
/** A plain file name: what is listed can be typed, and stands in a URL or a table as it is. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const EXTENSION = ".gguf";

export interface ModelStore {
  /** The user's folder; it need not exist. */
  readonly folder: string;
  /** The installed model of this name; undefined when there is none. Only names, never paths. */
  find(name: string): Promise<InstalledModel | undefined>;
  /** All installed models by name, without opening them. */
  installed(): Promise<readonly InstalledModel[]>;
  /** All installed models with what their files say. */
  list(): Promise<readonly ListedModel[]>;
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
  return {
    folder,
    installed,
    async find(name) {
      // Only a name that the folder itself holds is found, so no name can lead elsewhere.
      return (await installed()).find((model) => model.id === name);
    },
    async list() {
      return Promise.all(
        (await installed()).map(async (model) => {
          try {
            return { ...model, facts: await readModelFacts(model.path), problem: undefined };
          } catch (error) {
            if (!(error instanceof ServiceError)) throw error;
            return { ...model, facts: undefined, problem: error.message };
          }
        }),
      );
    },
  };
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
