/** Where other programs keep their models on each platform. Pure. */
import { join } from "node:path";
import type { Manager } from "./found.ts";

export interface ModelFolders {
  /** Ollama's model folders, each with `manifests` and `blobs`. */
  readonly ollama: readonly string[];
  /** Folders whose files are GGUFs. */
  readonly files: readonly { readonly manager: Manager; readonly folder: string }[];
}

export function modelFolders(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): ModelFolders {
  const windows = platform === "win32";
  const localAppData = env["LOCALAPPDATA"] || join(home, "AppData", "Local");
  const caches = env["XDG_CACHE_HOME"] || join(home, ".cache");
  const llamaCache = windows
    ? join(localAppData, "llama.cpp")
    : platform === "darwin"
      ? join(home, "Library", "Caches", "llama.cpp")
      : join(caches, "llama.cpp");
  const hub =
    env["HF_HUB_CACHE"] ||
    (env["HF_HOME"]
      ? join(env["HF_HOME"], "hub")
      : join(windows ? join(home, ".cache") : caches, "huggingface", "hub"));
  return {
    ollama: env["OLLAMA_MODELS"]
      ? [env["OLLAMA_MODELS"]]
      : [
          join(home, ".ollama", "models"),
          // The Linux service runs as a user of its own.
          ...(platform === "linux" ? ["/usr/share/ollama/.ollama/models"] : []),
        ],
    files: [
      { manager: "lm-studio", folder: join(home, ".lmstudio", "models") },
      { manager: "lm-studio", folder: join(home, ".cache", "lm-studio", "models") },
      { manager: "llama.cpp", folder: env["LLAMA_CACHE"] || llamaCache },
      { manager: "hub", folder: hub },
    ],
  };
}
