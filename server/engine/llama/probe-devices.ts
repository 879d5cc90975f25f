/** What a build finds on this machine. For a child process only: what it loads may bring it down. */
import type { ProbeResult } from "../../devices/probe-cache.ts";
import { type Bindings, type Device, loadBindings, loadProblem } from "./bindings.ts";
import { checkGolden } from "./golden.ts";

/** Libraries through which llama.cpp reaches a GPU. */
const GPU_LIBRARY = /^(lib)?ggml-(vulkan|cuda|metal)\.(so|dll|dylib)$/;
/** Lines of the library's log that say why there is no device. */
const REASON =
  /error|fail|\bno (?:[\w-]+ )?(?:[\w-]+ )?(?:device|gpu)|insufficient|not found|could not|unable/i;

/**
 * @param needed libraries that the build needs, by absolute path
 * @param golden also score the golden model on the GPUs
 * @throws ServiceError engine_failed when the build cannot be loaded or computes wrongly
 */
export async function probeDevices(
  folder: string,
  needed: readonly string[],
  golden: boolean,
): Promise<ProbeResult> {
  const bindings = loadBindings(folder, needed);
  const devices = bindings.devices();
  const gpus = gpuIndexes(devices);
  if (gpus.length === 0) {
    // llama.cpp leaves out a backend that cannot be loaded, and says nothing of it.
    const broken = loadProblem(folder, GPU_LIBRARY);
    if (broken !== undefined) return { kind: "failed", problem: broken };
    return { kind: "absent", problem: whyNone(bindings) };
  }
  if (golden) await checkGolden(bindings, gpus);
  return { kind: "usable", devices };
}

/** Places of the GPUs that a model may be spread over: integrated ones only where there is no other. */
export function gpuIndexes(devices: readonly Pick<Device, "type">[]): number[] {
  const ofType = (type: string): number[] =>
    devices.flatMap((device, index) => (device.type === type ? [index] : []));
  const discrete = ofType("gpu");
  return discrete.length > 0 ? discrete : ofType("igpu");
}

/** The log's words, where it has some. */
function whyNone(bindings: Bindings): string {
  return (
    bindings
      .recentLog()
      .findLast((line) => REASON.test(line))
      ?.trim() ?? "no device was found"
  );
}
