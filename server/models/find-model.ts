/** Which model is meant: by a name, by a file, by the environment, or by default. */
import { homedir } from "node:os";
import { isAbsolute, join, sep } from "node:path";
import { ServiceError } from "../errors.ts";
import { mediaFolder } from "../files/package-files.ts";
import { isFoundName } from "./local/found.ts";
import { type ListedModel, type ModelStore, openStore } from "./store.ts";
import { findTokenizer, listTokenizers } from "./tokenizer-file.ts";

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
  if (isFoundName(name)) return foundElsewhere(store, name);
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

/** A model that another program keeps. */
async function foundElsewhere(store: ModelStore, name: string) {
  const model = await store.find(name);
  if (model !== undefined) return { id: name, path: model.path };
  throw new ServiceError(
    "model_not_found",
    `No model "${name}" is on this disk. "codescaler models list" shows which are.`,
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

/**
 * The default judge: the user's largest reward model, which is the best of its kind; else the largest installed language
 * model, whose likelihood picks better than the embedded model (docs/evaluation.md); else the embedded one.
 */
async function preferred(store: ModelStore): Promise<{ readonly id: string; readonly path: string }> {
  const usable = (await store.list()).filter((model) => model.facts !== undefined);
  const kind = ({ embedded, facts }: ListedModel) => (embedded ? 0 : facts?.kind === "language" ? 1 : 2);
  const size = ({ facts }: ListedModel) => facts?.fileBytes ?? 0;
  const [best] = usable.sort((a, b) => kind(b) - kind(a) || size(b) - size(a));
  if (best) return best;
  throw new ServiceError(
    "model_not_found",
    "No model is installed, not even the embedded one. Reinstall the package.",
  );
}
