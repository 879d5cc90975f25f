/**
 * What people read of each setting, and where it may be set. `npm run manifest` writes package.json, package.nls.json
 * and docs/settings.md from this and from settings.ts. Nothing imports it at run time.
 */
import type { HttpKind } from "../sources/setup/create.ts";
import type { SettingName, Settings } from "./settings.ts";

export interface SettingDeclaration {
  /** The editor's own names of who may set it: for a language, a folder, a machine, or the user only. */
  readonly scope: "language-overridable" | "resource" | "machine" | "application";
  /** Markdown; `#name#` is a link to another setting. */
  readonly text: string;
  /** JSON schema beside what settings.ts says. Its texts are `%key%`s of `texts`. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** What each value of the setting `device` means. */
export const DEVICE_TEXTS: Readonly<Record<Settings["device"], string>> = {
  auto: "The graphics card where it works, else the processor.",
  gpu: "The graphics card.",
  cpu: "The processor.",
};

/** What each kind of source is. */
export const KIND_TEXTS: Readonly<Record<HttpKind | "editor" | "built-in", string>> = {
  "built-in": "A code model that CodeScaler runs itself, on this machine.",
  openai: "An OpenAI-compatible completions endpoint with a suffix.",
  "openai-chat": "An OpenAI-compatible chat endpoint.",
  llamacpp: "llama.cpp's server with a model that fills in the middle.",
  ollama: "Ollama with a model that fills in the middle.",
  "ollama-chat": "Ollama with a chat model.",
  mistral: "Mistral's fill-in-the-middle endpoint.",
  editor: "One of the editor's own language models; asked only by command.",
};

/** The fields of an entry of the setting `sources`. */
export const SOURCE_TEXTS = {
  id: "A name of your own, different for each source.",
  url: "Base address, for example http://127.0.0.1:11434.",
  model: "Name of the model.",
  label: "Name shown to you; made from kind and model when absent.",
  modelTokens:
    "For kind openai: the endpoint takes no suffix, so the model's own tokens for filling in the middle are used (LM Studio, vLLM).",
  automatic:
    "For a source that is not on this machine: it may be asked while typing. That costs what its provider charges.",
  enabled: "Whether this source is asked at all.",
} as const;

const sourceField = (type: "string" | "boolean", name: keyof typeof SOURCE_TEXTS) => ({
  type,
  ...(name === "enabled" && { default: true }),
  description: `%source.${name}%`,
});

const SOURCE_SCHEMA = {
  type: "object",
  required: ["id", "kind"],
  additionalProperties: false,
  defaultSnippets: [
    {
      body: {
        id: "built-in",
        kind: "built-in",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a place to fill in, in the editor's own snippets
        model: "${1:qwen2.5-coder-1.5b}",
      },
    },
  ],
  properties: {
    id: sourceField("string", "id"),
    kind: {
      type: "string",
      enum: Object.keys(KIND_TEXTS),
      enumDescriptions: Object.keys(KIND_TEXTS).map((kind) => `%source.kind.${kind}%`),
    },
    url: sourceField("string", "url"),
    model: sourceField("string", "model"),
    label: sourceField("string", "label"),
    modelTokens: sourceField("boolean", "modelTokens"),
    automatic: sourceField("boolean", "automatic"),
    enabled: sourceField("boolean", "enabled"),
  },
};

export const SETTING_DECLARATIONS: Readonly<Record<SettingName, SettingDeclaration>> = {
  enable: {
    scope: "language-overridable",
    text: 'Suggest and score at all. Can be set per language: `"[python]": { "codescaler.enable": false }`.',
  },
  "automatic.enable": {
    scope: "language-overridable",
    text: "Suggest while typing. When off, suggestions come only on the command *Suggest the Best of N*. Can be set per language.",
  },
  "automatic.candidates": {
    scope: "resource",
    text: "How many completions are asked for while typing. More find a right one more often, and cost more time or tokens.",
  },
  "automatic.budget": {
    scope: "resource",
    text: "Longest time in milliseconds that a suggestion may take while typing. What arrives later is kept for cycling and for the next request at the same place.",
  },
  "automatic.debounce": {
    scope: "resource",
    text: "Shortest pause in milliseconds after typing before completions are asked for. The real pause adapts to how fast you type and how often suggestions are taken.",
  },
  "automatic.minimumProbability": {
    scope: "resource",
    text: "While typing, nothing is shown when the best candidate's predicted chance of being right is lower than this. `0` shows everything that is valid. The command shows valid candidates in any case.",
  },
  "automatic.prefetch": {
    scope: "resource",
    text: "After a suggestion was accepted, ask for the next one at once.",
  },
  candidates: {
    scope: "resource",
    text: "How many completions the command *Suggest the Best of N* asks for.",
  },
  maxTokens: { scope: "resource", text: "Most tokens of one completion." },
  temperature: {
    scope: "resource",
    text: "Sampling temperature. At 0 all candidates of a source tend to be the same, so that there is nothing to choose from.",
  },
  sources: {
    scope: "machine",
    text: "Where completions come from; several are asked together and ranked together. *CodeScaler: Add a Source of Completions…* finds local servers and writes this setting. API keys are kept in the editor's secret storage, never here.",
    schema: { items: SOURCE_SCHEMA },
  },
  dailyRequestLimit: {
    scope: "machine",
    text: "Most requests a day to each source that is not on this machine; 0 means no limit.",
  },
  dailyTokenLimit: {
    scope: "machine",
    text: "Most tokens a day, read and written, of each source that is not on this machine; 0 means no limit.",
  },
  exclude: {
    scope: "resource",
    text: "Glob patterns of files in which CodeScaler does nothing, for example `**/generated/**`.",
  },
  secretFiles: {
    scope: "machine",
    text: "Glob patterns of files that may hold secrets. Nothing of them is ever sent anywhere, not even to the local reward server.",
  },
  rewardModel: {
    scope: "machine",
    text: "Name of the reward model, for example `nano` (embedded). Empty: the best one that is installed.",
  },
  device: {
    scope: "machine",
    text: "What the reward model runs on.",
    schema: { enumDescriptions: Object.keys(DEVICE_TEXTS).map((device) => `%setting.device.${device}%`) },
  },
  "server.url": {
    scope: "machine",
    text: "Address of a reward server of your own, for example `http://127.0.0.1:8137`. Empty: CodeScaler runs one itself. Its access token is set by *CodeScaler: Set Access Token of Your Own Reward Server…*.",
  },
  "server.engines": {
    scope: "machine",
    text: "Addresses of vLLM or CodeScaler servers that have the reward model's weights, for example `https://gpu.example:8000`; requests are spread over them. Code is extracted and judged as always, only token ids go there. `#codescaler.rewardModel#` names the model, of which at least the tokenizer is installed here (`codescaler models pull NAME --tokenizer`). Their access token is set by *CodeScaler: Set Access Token of Your Own Reward Server…*.",
    schema: { items: { type: "string", format: "uri" }, uniqueItems: true },
  },
  "server.unloadAfter": {
    scope: "machine",
    text: "Minutes without a request after which the reward server gives the memory of its model back. The next request loads it again. 0 = never.",
  },
  "hover.enable": { scope: "resource", text: "Show the score of scored or accepted code on hover." },
  "statistics.enable": {
    scope: "application",
    text: "Count locally which candidates are accepted and how long things take. Nothing leaves this machine; *CodeScaler: Erase Local Statistics* deletes it.",
  },
  "preferences.enable": {
    scope: "application",
    text: "Record on this machine which completion you accept and which others were offered, *with their code*, to fine-tune a reward model on (*CodeScaler: Export Preference Pairs…*). Nothing leaves this machine, files that may hold secrets are left out, *CodeScaler: Erase Local Statistics* deletes it.",
  },
};
