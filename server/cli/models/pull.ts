/** `codescaler models pull`: downloads, checks, converts and installs a model. */
import { gigabytes } from "../../../shared/gigabytes.ts";
import { modelFolder } from "../../files/folders.ts";
import { FILE_TYPES } from "../../models/gguf/ggml.ts";
import { hubFromEnvironment } from "../../models/hub/hub-site.ts";
import { pull, pullTokenizer } from "../../models/hub/pull-checkpoint.ts";
import { ggufTarget, pullGguf } from "../../models/hub/pull-gguf.ts";
import { oneOf, readArgs } from "../arguments.ts";
import {
  describe,
  described,
  interruption,
  operandOf,
  PROGRESS_FORMS,
  print,
  progressLine,
  tokenizerFacts,
  tokenizerInstalled,
  waitLine,
} from "./output.ts";

export const usage = `Usage: codescaler models pull NAME [options]

Downloads a model of the catalogue (or owner/name of the Hub), checks every file against the Hub's hash, converts it and
installs it. Ctrl-C stops; the same command continues. Needs room for the download and the result together.
A writer of the catalogue, or owner/name/file.gguf, is one file and is installed as it is.

  --type TYPE      ${FILE_TYPES.join(", ")} (default q8_0)
  --revision R     branch, tag or commit (default: the newest)
  --name N         name to install under (default: that of the catalogue)
  --tokenizer      only what a remote engine needs here (see serve --engine): some megabytes, no weights
  --progress FORM  text (default) or json: lines {"step","done","total"} on stderr,
                   or {"step":"wait","reason","ms"}
  --exit-with-stdin  stop when stdin ends: for a parent that owns this process
  --json           print one JSON document

  HF_TOKEN         token for gated models; sent to the Hub only
  HF_ENDPOINT      address of a mirror (default https://huggingface.co)
  HTTPS_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS  as usual`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    type: { type: "string", default: "q8_0" },
    revision: { type: "string" },
    name: { type: "string" },
    tokenizer: { type: "boolean", default: false },
    progress: { type: "string", default: "text" },
    "exit-with-stdin": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  const wanted = operandOf(positionals, "models pull needs the name of a model.");
  const form = oneOf("progress", values.progress, PROGRESS_FORMS);
  const options = {
    hub: { ...hubFromEnvironment(), onWait: waitLine(form) },
    folder: modelFolder(),
    revision: values.revision,
    name: values.name,
    signal: interruption(
      "The download was stopped. The same command continues it.",
      values["exit-with-stdin"],
    ),
  };
  const gguf = values.tokenizer ? undefined : ggufTarget(wanted);
  if (gguf !== undefined) {
    const pulled = await pullGguf(gguf, { ...options, onProgress: progressLine(form) });
    print(
      values.json,
      { id: pulled.name, path: pulled.path, bytes: pulled.bytes, fetched: pulled.fetched },
      `${pulled.name} ${pulled.fetched ? "is installed" : "was installed already"}: ${gigabytes(pulled.bytes)}, ${gguf.file} of ${gguf.repository}`,
    );
    return 0;
  }
  const type = oneOf("type", values.type, FILE_TYPES);
  if (values.tokenizer) {
    const { name, facts } = await pullTokenizer(wanted, options);
    print(values.json, { id: name, ...tokenizerFacts(facts) }, tokenizerInstalled(name, facts));
    return 0;
  }
  const { name, facts, fetched } = await pull(wanted, { ...options, type, onProgress: progressLine(form) });
  print(
    values.json,
    { id: name, fetched, ...described(facts) },
    `${name} ${fetched ? "is installed" : "was installed already"}: ${describe(facts)}`,
  );
  return 0;
}
