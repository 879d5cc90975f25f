/** Which prebuilt llama.cpp libraries exist for a platform, best first, and where they are installed. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** How a build computes. `cpu` runs everywhere and is the last resort. */
export type Backend = "metal" | "vulkan" | "cpu";

export interface Build {
  readonly backend: Backend;
  /** Absolute path of the folder with the shared libraries. */
  readonly folder: string;
}

const PACKAGES: Readonly<Record<string, readonly (readonly [Backend, string])[]>> = {
  "linux-x64": [
    ["vulkan", "linux-x64-vulkan"],
    ["cpu", "linux-x64"],
  ],
  "linux-arm64": [["cpu", "linux-arm64"]],
  "darwin-arm64": [["metal", "mac-arm64-metal"]],
  "darwin-x64": [["cpu", "mac-x64"]],
  "win32-x64": [
    ["vulkan", "win-x64-vulkan"],
    ["cpu", "win-x64"],
  ],
  "win32-arm64": [["cpu", "win-arm64"]],
};

/** The builds installed for this platform, best first; empty when the platform has none. */
export function installedBuilds(platform = process.platform, arch = process.arch): Build[] {
  const require = createRequire(__filename);
  return (PACKAGES[`${platform}-${arch}`] ?? []).flatMap(([backend, name]) => {
    try {
      const folder = join(dirname(require.resolve(`@node-llama-cpp/${name}`)), "..", "bins", name);
      return existsSync(folder) ? [{ backend, folder }] : [];
    } catch {
      return [];
    }
  });
}
