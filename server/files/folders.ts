/** Where models and remade files live on this machine. */
import { homedir } from "node:os";
import { join } from "node:path";

/** Variables of a process, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Folder of installed models: `CODESCALER_HOME`, else the platform's place for application data.
 * An extension and a command line of the same user share it.
 */
export function modelFolder(env: Environment = process.env, platform: string = process.platform): string {
  const home = env["CODESCALER_HOME"];
  if (home) return join(home, "models");
  return join(dataFolder(env, platform), "models");
}

/** Folder of inference builds that were added to those of the package; beside the models. */
export function buildFolder(env: Environment = process.env, platform: string = process.platform): string {
  return join(env["CODESCALER_HOME"] || dataFolder(env, platform), "builds");
}

function dataFolder(env: Environment, platform: string): string {
  if (platform === "darwin") return join(homedir(), "Library", "Application Support", "codescaler");
  if (platform === "win32") {
    return join(env["LOCALAPPDATA"] || join(homedir(), "AppData", "Local"), "codescaler");
  }
  return join(env["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "codescaler");
}

/** Folder of files that can be made again (random benchmark models): `CODESCALER_CACHE`, else the platform's. */
export function cacheFolder(env: Environment = process.env, platform: string = process.platform): string {
  const cache = env["CODESCALER_CACHE"];
  if (cache) return cache;
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "codescaler");
  if (platform === "win32") return join(dataFolder(env, platform), "cache");
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "codescaler");
}
