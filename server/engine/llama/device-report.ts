/** Where a model runs, and why not on something faster, as a person would say it. */
import type { DeviceReport } from "../../../shared/contract.ts";
import { gib } from "../memory.ts";
import { leastContext, type ModelSizes, type Placement } from "../placement.ts";
import { BACKEND_NAMES } from "./builds.ts";
import type { OpenBuild } from "./open-build.ts";

/** What a user reads when a GPU that should work does not. */
export function unusable(problem: string): string {
  return `The GPU could not be used (${problem}): running on the CPU. "codescaler doctor" says more.`;
}

export function gpuReport(
  open: OpenBuild,
  placement: Placement,
  sizes: ModelSizes,
  name: string,
  free: number,
): DeviceReport {
  const { gpuLayers, contextTokens } = placement;
  const split =
    gpuLayers < sizes.layers
      ? `${gpuLayers} of ${sizes.layers} layers run on the GPU and the rest on the CPU, because ${gib(free)} of its memory is free. A smaller model or type would be faster.`
      : null;
  return {
    backend: open.build.backend,
    name,
    gpu_layers: gpuLayers,
    layers: sizes.layers,
    context_tokens: contextTokens,
    reason:
      split ?? (open.problem === undefined ? null : `A faster build could not be used (${open.problem}).`),
  };
}

/** "CUDA: NVIDIA GeForce RTX 4090", with the share of the layers where it is not all of them. */
export function deviceName(
  { build, bindings }: OpenBuild,
  { devices, gpuLayers }: Placement,
  sizes: ModelSizes,
): string {
  const all = bindings.devices();
  const cards = [...new Set(devices.map((index) => all[index]?.description ?? ""))].join(" and ");
  const share = gpuLayers < sizes.layers ? `, ${gpuLayers} of ${sizes.layers} layers` : "";
  return `${BACKEND_NAMES[build.backend]}: ${cards}${share}`;
}

export function tooLarge(sizes: ModelSizes, free: number, wanted: number | undefined): string {
  const context = wanted ?? leastContext(sizes);
  const least = sizes.layers * (sizes.layerBytes + context * sizes.cacheBytes) + sizes.outputBytes;
  return `The GPU's memory is too small for this model: with a context of ${context} tokens it takes ${gib(least)} and buffers, and ${gib(free)} is free.`;
}
