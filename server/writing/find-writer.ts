/** Which writer is meant: by a name, by a file, by the environment, or by default. */
import { homedir } from "node:os";
import { isAbsolute, join, sep } from "node:path";
import { ServiceError } from "../errors.ts";
import { mediaFolder } from "../files/package-files.ts";
import { hasRewardHead } from "../models/language-model.ts";
import { type FoundModel, findLocalModels, isFoundName } from "../models/local/found.ts";
import { openStore } from "../models/store.ts";

interface WriterFile {
  /** Name under which it is reported. */
  readonly id: string;
  readonly path: string;
}

/** What gets a writer where there is none. */
const WAY_OUT = '"codescaler models pull qwen2.5-coder-0.5b" gets one (0.5 GB)';
/** A model of another program that is not named as one for code may be for anything. */
const CODE_MODEL = /code|coder|codestral|starcoder|devstral|mellum|granite/i;

/**
 * The writer that is meant: a file where it looks like one, an installed name, or a model of another program.
 * @throws ServiceError model_not_found
 */
export async function findWriter(wanted: string | undefined): Promise<WriterFile> {
  const name = wanted ?? (process.env["CODESCALER_WRITER"] || undefined);
  if (name === undefined) return defaultWriter();
  if (name.endsWith(".gguf") || name.includes("/") || name.includes(sep)) {
    const path = name.startsWith("~/") ? join(homedir(), name.slice(2)) : name;
    return { id: path, path: isAbsolute(path) ? path : join(process.cwd(), path) };
  }
  const found = await findWriterNamed(name);
  if (found) return found;
  throw new ServiceError("model_not_found", `No writer named "${name}" is installed. ${WAY_OUT}.`);
}

/** The writer of this name; undefined when there is none. Only names, never paths. */
export async function findWriterNamed(name: string): Promise<WriterFile | undefined> {
  if (isFoundName(name)) return (await localModels()).find(({ id }) => id === name);
  const installed = await openStore(mediaFolder).find(name);
  return installed && { id: name, path: installed.path };
}

/** The first language model that is installed, else the smallest code model that another program has here. */
async function defaultWriter(): Promise<WriterFile> {
  const store = openStore(mediaFolder);
  for (const { id, path, embedded } of await store.installed()) {
    if (!embedded && !(await hasRewardHead(path).catch(() => true))) return { id, path };
  }
  const [smallest] = (await localModels())
    .filter(({ id }) => CODE_MODEL.test(id))
    .sort((a, b) => a.bytes - b.bytes);
  if (smallest) return smallest;
  throw new ServiceError(
    "model_not_found",
    `There is no model here that writes. ${WAY_OUT}; any GGUF of a code model can be named on the command line.`,
  );
}

async function localModels(): Promise<readonly FoundModel[]> {
  return findLocalModels(process.env, process.platform, homedir());
}
