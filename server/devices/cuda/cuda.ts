/**
 * The CUDA build of the engine, which users may add: all that the rest of the program knows of it. Whether it is faster
 * than the Vulkan build was never measured, for want of a machine with an NVIDIA GPU (docs/devices.md); so all of it is
 * behind this file and can be taken out in one piece.
 */
import type { OnWait } from "../../downloads/retry.ts";
import { ServiceError } from "../../errors.ts";
import type { Drivers } from "../drivers.ts";
import { type AddedBuild, addedBuild } from "./added.ts";
import type { Installed, InstallProgress } from "./install.ts";
import { CUDA_BUILDS, type CudaBuild } from "./packages.ts";

/** The builds that can be added on a platform, best first. */
export function cudaBuilds(
  platform: string = process.platform,
  arch: string = process.arch,
): readonly CudaBuild[] {
  return CUDA_BUILDS[`${platform}-${arch}`] ?? [];
}

/** The build that the user added, where it has the right version for this platform. */
export function addedCuda(platform?: string, arch?: string): AddedBuild | undefined {
  return addedBuild(platform, arch);
}

/**
 * The build that suits this system; a download that cannot be used is refused before it begins.
 * @param runtime major version of CUDA, where the user wants a certain one
 * @param force also without driver and runtime
 * @throws ServiceError engine_failed
 */
export function chooseCuda(drivers: Drivers, runtime: number | undefined, force: boolean): CudaBuild {
  const builds = cudaBuilds();
  const here = (build: CudaBuild): boolean =>
    drivers.cudaRuntimes.some(({ major }) => major === build.cudaMajor);
  const [newest] = builds;
  if (newest === undefined) {
    throw new ServiceError(
      "engine_failed",
      `There is no CUDA build for ${process.platform}-${process.arch}, only for linux-x64 and win32-x64. The other builds need no installation.`,
    );
  }
  const wanted =
    runtime === undefined
      ? (builds.find(here) ?? newest)
      : (builds.find(({ cudaMajor }) => cudaMajor === runtime) ?? newest);
  if (force) return wanted;
  const driver = process.platform !== "linux" || drivers.nodes.some(({ path }) => /nvidia|dxg/.test(path));
  if (!driver) {
    throw new ServiceError(
      "engine_failed",
      `No NVIDIA driver was found, without which the CUDA build is of no use. Install the driver (${wanted.leastDriver} or newer), or use --force.`,
    );
  }
  if (!here(wanted)) {
    throw new ServiceError(
      "engine_failed",
      `libcudart and libcublas of CUDA ${wanted.cudaMajor} were not found, which the CUDA build needs. Install NVIDIA's CUDA ${wanted.cudaMajor} runtime, or use --force; the Vulkan build needs only the driver.`,
    );
  }
  return wanted;
}

/**
 * Downloads a build from the npm registry, checks and unpacks it.
 * @throws ServiceError download_failed, disk_failed, invalid_request; the signal's reason when aborted
 */
export async function addCuda(
  build: CudaBuild,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: InstallProgress) => void;
    /** Called before a request is repeated. */
    readonly onWait: OnWait;
  },
): Promise<Installed> {
  const { signal, onProgress, onWait } = options;
  // Loaded when wanted: whoever lists builds should not pay for what downloads them.
  const [{ installCuda }, { registryFromEnvironment }] = await Promise.all([
    import("./install.ts"),
    import("./npm-registry.ts"),
  ]);
  return installCuda({
    registry: { ...(await registryFromEnvironment()), onWait },
    build,
    signal,
    onProgress,
  });
}

/**
 * Removes the added build, of whatever version, and what is left of a download.
 * @returns the bytes that are free again
 * @throws ServiceError disk_failed, model_not_found when there is nothing
 */
export async function removeCuda(): Promise<number> {
  return (await import("./install.ts")).removeCuda();
}
