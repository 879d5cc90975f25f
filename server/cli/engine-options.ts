/** Options that every command with an engine shares, from flags first and the environment second. */
import { homedir } from "node:os";
import { isAbsolute, join, sep } from "node:path";
import { DEVICES } from "../engine/llama/start.ts";
import { ServiceError } from "../errors.ts";
import { mediaFolder } from "../files/package-files.ts";
import { type ModelStore, openStore } from "../models/store.ts";
import { findTokenizer, listTokenizers } from "../models/tokenizer-file.ts";
import type { HostOptions } from "../ranking/loaded-models.ts";
import { readTargets } from "../remote/address.ts";
import { oneOf, wholeNumber } from "./usage.ts";

const PRECISIONS = ["fast", "exact"] as const;

export const ENGINE_ARGS = {
  model: { type: "string" },
  device: { type: "string" },
  threads: { type: "string" },
  "context-tokens": { type: "string" },
  precision: { type: "string", default: "fast" },
  engine: { type: "string", multiple: true },
} as const;

export const ENGINE_USAGE = `  --model M            a model's name, or a GGUF file (default: CODESCALER_MODEL, else the best installed)
  --device D           auto, gpu or cpu (default: CODESCALER_DEVICE, else auto)
  --threads T          threads of the CPU (default: CODESCALER_THREADS, else by cores)
  --context-tokens C   size of the KV cache in tokens (default: by device and memory)
  --precision P        fast (default), or exact: float32 keys and values, to compare with other implementations
  --engine URL         let a vLLM or another CodeScaler server have the weights; give it once for each of several.
                       Its token comes from CODESCALER_ENGINE_TOKEN; docs/fleet.md says how to set one up`;

interface Values {
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  readonly threads?: string | undefined;
  readonly "context-tokens"?: string | undefined;
  readonly precision: string;
  readonly engine?: readonly string[] | undefined;
}

/**
 * @throws UsageError for a value that cannot be meant; ServiceError for an address that is none
 */
export function engineOptions(values: Values): HostOptions {
  const device = values.device ?? process.env["CODESCALER_DEVICE"];
  const threads = values.threads ?? process.env["CODESCALER_THREADS"];
  const context = values["context-tokens"];
  return {
    device: device === undefined ? "auto" : oneOf("device", device, DEVICES),
    threads: threads === undefined ? undefined : wholeNumber("threads", threads, 1, 1024),
    contextTokens: context === undefined ? undefined : wholeNumber("context-tokens", context, 256, 1_048_576),
    onDevice: ({ reason }) => {
      if (reason !== null) process.stderr.write(`${reason}\n`);
    },
    precision: oneOf("precision", values.precision, PRECISIONS),
    remote: values.engine && {
      targets: readTargets(values.engine, process.env["CODESCALER_ENGINE_TOKEN"] || undefined),
    },
  };
}

/**
 * The model that is meant: a file where it looks like one, else an installed name.
 * @param remote its weights are elsewhere: a tokenizer without them will do
 * @throws ServiceError model_not_found, invalid_request where it must be named
 */
export async function findModel(
  wanted: string | undefined,
  remote = false,
): Promise<{ readonly id: string; readonly path: string }> {
  const store = openStore(mediaFolder);
  const name = wanted ?? process.env["CODESCALER_MODEL"] ?? (remote ? await onlyTokenizer(store) : undefined);
  if (name === undefined) return preferred(store);
  if (name.endsWith(".gguf") || name.includes("/") || name.includes(sep)) {
    const path = name.startsWith("~/") ? join(homedir(), name.slice(2)) : name;
    return { id: path, path: isAbsolute(path) ? path : join(process.cwd(), path) };
  }
  const found = await findInstalled(store, name, remote);
  if (found) return { id: name, path: found.path };
  throw new ServiceError(
    "model_not_found",
    `No model named "${name}" is installed. "codescaler models list" shows which are${remote ? `; "codescaler models pull ${name} --tokenizer" gets what a remote engine needs here` : ""}.`,
  );
}

/** The file of an installed name; for a remote engine its tokenizer, or that of the whole model. */
export async function findInstalled(
  store: ModelStore,
  name: string,
  remote: boolean,
): Promise<{ readonly path: string } | undefined> {
  const tokenizer = remote ? await findTokenizer(store.folder, name) : undefined;
  return tokenizer === undefined ? store.find(name) : { path: tokenizer };
}

/** Where one tokenizer was installed for remote engines, nobody need name it. */
async function onlyTokenizer(store: ModelStore): Promise<string> {
  const [name, second] = await listTokenizers(store.folder);
  if (name !== undefined && second === undefined) return name;
  throw new ServiceError(
    "invalid_request",
    "Say with --model which model the engines have, by the name it was installed under here.",
  );
}

/** The user's largest usable model, which is the best of its kind; without any, the embedded one. */
async function preferred(store: ModelStore): Promise<{ readonly id: string; readonly path: string }> {
  const usable = (await store.list()).filter((model) => model.facts !== undefined);
  const size = (model: (typeof usable)[number]) => (model.embedded ? 0 : (model.facts?.fileBytes ?? 0));
  const [best] = usable.sort((a, b) => size(b) - size(a));
  if (best) return best;
  throw new ServiceError(
    "model_not_found",
    "No model is installed, not even the embedded one. Reinstall the package.",
  );
}
