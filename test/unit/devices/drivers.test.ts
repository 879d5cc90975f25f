/** Drivers as they lie in a file system; the root is a folder made here. */
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { mayExist, readDrivers, type SystemRoot } from "../../../server/devices/drivers.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";

const NVIDIA = `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 06:54:38 UTC 2025
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
`;

function system(files: Readonly<Record<string, string>>, env: Record<string, string> = {}): SystemRoot {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, platform: "linux", env };
}

describe("drivers", () => {
  test("a machine without any has none, and no GPU is looked for", async () => {
    const place = system({});
    const drivers = await readDrivers(place);
    expect(drivers).toMatchObject({
      nvidia: undefined,
      nodes: [],
      vulkanLoader: undefined,
      vulkanDrivers: [],
      cudaRuntimes: [],
    });
    expect(mayExist("vulkan", drivers, place)).toBe(false);
    expect(mayExist("cuda", drivers, place)).toBe(false);
    expect(mayExist("cpu", drivers, place)).toBe(true);
  });

  test("NVIDIA's version, nodes, Vulkan's loader and manifests are found", async () => {
    const place = system({
      "proc/driver/nvidia/version": NVIDIA,
      "dev/nvidia0": "",
      "dev/nvidiactl": "",
      "dev/dri/renderD128": "",
      "dev/dri/card0": "",
      "usr/lib/x86_64-linux-gnu/libvulkan.so.1.3.280": "",
      "usr/share/vulkan/icd.d/nvidia_icd.json": "{}",
    });
    symlinkSync("libvulkan.so.1.3.280", join(place.root, "usr/lib/x86_64-linux-gnu/libvulkan.so.1"));
    const drivers = await readDrivers(place);
    expect(drivers.nvidia).toBe("580.65.06");
    expect(drivers.nodes.map(({ path }) => path.slice(place.root.length))).toEqual([
      "/dev/dri/renderD128",
      "/dev/nvidia0",
      "/dev/nvidiactl",
    ]);
    expect(drivers.vulkanLoader).toMatch(/libvulkan\.so\.1\.3\.280$/);
    expect(drivers.vulkanDrivers).toHaveLength(1);
    expect(mayExist("cuda", drivers, place)).toBe(true);
  });

  test("an AMD or Intel card is nothing for CUDA", async () => {
    const place = system({ "dev/dri/renderD128": "" });
    const drivers = await readDrivers(place);
    expect(mayExist("vulkan", drivers, place)).toBe(true);
    expect(mayExist("cuda", drivers, place)).toBe(false);
  });

  test("a CUDA runtime counts when all its libraries are there, in loading order", async () => {
    const place = system({
      "usr/local/cuda-13.0/lib64/libcudart.so.13": "",
      "usr/local/cuda-13.0/lib64/libcublas.so.13": "",
      "usr/local/cuda-13.0/lib64/libcublasLt.so.13": "",
      "usr/local/cuda-12.4/lib64/libcudart.so.12": "",
    });
    const { cudaRuntimes } = await readDrivers(place);
    expect(cudaRuntimes.map(({ major }) => major)).toEqual([13]);
    expect(cudaRuntimes[0]?.libraries.map((path) => path.replace(/.*\//, ""))).toEqual([
      "libcudart.so.13",
      "libcublasLt.so.13",
      "libcublas.so.13",
    ]);
  });

  test("the fingerprint changes with a driver, and only then", async () => {
    const place = system({
      "proc/driver/nvidia/version": NVIDIA,
      "dev/nvidiactl": "",
      "usr/share/vulkan/icd.d/radeon_icd.json": "{}",
      "usr/lib/wsl/lib/libcuda.so.1": "",
    });
    const before = (await readDrivers(place)).fingerprint;
    chmodSync(join(place.root, "dev/nvidiactl"), 0o000);
    expect((await readDrivers(place)).fingerprint).toBe(before);
    const file = join(place.root, "usr/share/vulkan/icd.d/radeon_icd.json");
    utimesSync(file, 1, 1);
    const updated = (await readDrivers(place)).fingerprint;
    expect(updated).not.toBe(before);
    writeFileSync(join(place.root, "proc/driver/nvidia/version"), NVIDIA.replace("580.65.06", "590.10"));
    expect((await readDrivers(place)).fingerprint).not.toBe(updated);
  });
});
