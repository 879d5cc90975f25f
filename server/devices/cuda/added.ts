/** The CUDA build that the user added to those of the package: where it is, and whether it is the right version. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { buildFolder } from "../../files/folders.ts";
import { BUILD_VERSION } from "../build-version.ts";

/** Written last, so that a folder with it is complete. */
export const MANIFEST = "build.json";

const manifest = z.object({
  version: z.string(),
  platform: z.string(),
  cudaMajor: z.number().int(),
});
export type Manifest = z.infer<typeof manifest>;

export interface AddedBuild {
  readonly folder: string;
  readonly cudaMajor: number;
}

/** Folder of the CUDA build of this program's version; it need not exist. */
export function cudaFolder(folder: string = buildFolder()): string {
  return join(folder, `cuda-${BUILD_VERSION}`);
}

/** The CUDA build, when one of the right version for this platform is installed. */
export function addedBuild(
  platform: string = process.platform,
  arch: string = process.arch,
  folder: string = cudaFolder(),
): AddedBuild | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(join(folder, MANIFEST), "utf8"));
  } catch {
    return undefined;
  }
  const found = manifest.safeParse(parsed).data;
  if (found?.version !== BUILD_VERSION || found.platform !== `${platform}-${arch}`) return undefined;
  return { folder, cudaMajor: found.cudaMajor };
}
