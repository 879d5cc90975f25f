/**
 * The packages of the npm registry that hold the CUDA build, by platform. Their hashes are part of this program: what a
 * registry sends instead is never unpacked.
 */

import { BUILD_VERSION } from "../build-version.ts";

export interface BuildPackage {
  readonly name: string;
  readonly version: string;
  /** As the registry writes it: "sha512-" and base64. */
  readonly integrity: string;
}

export interface CudaBuild {
  /** Major version of the CUDA runtime that it needs from the system. */
  readonly cudaMajor: number;
  /** NVIDIA's least driver for that runtime. */
  readonly leastDriver: number;
  /** Later packages replace files of earlier ones. */
  readonly packages: readonly BuildPackage[];
  /** Bytes of the archives; the registry says it exactly. */
  readonly downloadBytes: number;
  /** Bytes of all libraries in the packages, rounded up. */
  readonly unpackedBytes: number;
}

function build(
  cudaMajor: 12 | 13,
  packages: readonly BuildPackage[],
  downloadBytes: number,
  unpackedBytes: number,
): CudaBuild {
  return { cudaMajor, leastDriver: cudaMajor === 13 ? 580 : 525, packages, downloadBytes, unpackedBytes };
}

function pinned(name: string, integrity: string): BuildPackage {
  return { name: `@node-llama-cpp/${name}`, version: BUILD_VERSION, integrity };
}

const LINUX = pinned(
  "linux-x64-cuda",
  "sha512-idsE55VoD/FbvLhnBC9krUJaUoC0XnebseAAnCpm/brKf61HEbu+idgbb5eN6mxkjLSrHtILprJ0nDcUJjVrFg==",
);
const LINUX_12 = pinned(
  "linux-x64-cuda-ext",
  "sha512-1PuURowccBcks3CCoMe1mTHh5vD0V5bFHMUEgtbI/OSDjpP+Pdbn+lf42CGUrepTzR8kCH1HovQ7d8q6/vuIKA==",
);
const WINDOWS = pinned(
  "win-x64-cuda",
  "sha512-PLz70neFEMkQTlmJqG1ujUtCSgHasLPMxQ9rLkqQVmZYAXqkRj+45TIHCjdn3XqUeaoun0vrO9rRaxZ8NVq9jg==",
);
const WINDOWS_12 = pinned(
  "win-x64-cuda-ext",
  "sha512-L2MxLVEYPDDe4O8EDWPmX6brldc9+Vt9hNoT/anj3pSnmrjkQcmaoKhHs6oP5qhEhb5Uog0rj6lgzNGtJO3p9Q==",
);

/** Best first. The second replaces the library of the first for CUDA 13 by one for CUDA 12 and older cards. */
export const CUDA_BUILDS: Readonly<Record<string, readonly CudaBuild[]>> = {
  "linux-x64": [build(13, [LINUX], 143e6, 200e6), build(12, [LINUX, LINUX_12], 320e6, 560e6)],
  "win32-x64": [build(13, [WINDOWS], 139e6, 190e6), build(12, [WINDOWS, WINDOWS_12], 314e6, 560e6)],
};
