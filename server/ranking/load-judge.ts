/** From a model's file to a judge: a reward model or a language model here, or one on the engines of other hosts. */
import { type EngineOptions, startEngine } from "../engine/llama/start.ts";
import { readFit } from "../models/fits.ts";
import { hasRewardHead, readLanguageModel } from "../models/language-model.ts";
import type { Load, ReadModel } from "../models/model-host.ts";
import { readRewardModel, readTokenizerFile } from "../models/read-model.ts";
import { verifyOnce } from "../models/verified.ts";
import { connectModel } from "../remote/connect-model.ts";
import type { RemoteOptions } from "../remote/remote-engine.ts";
import { createLikelihoodScorer } from "./likelihood-scorer.ts";
import { createScorer, type Scorer } from "./scorer.ts";

/** How models are run: here, or on the engines of other hosts. */
export type HostOptions = EngineOptions & {
  readonly remote?: RemoteOptions | undefined;
  /** Told how far the check of a model's weights is, which a file has once; in bytes. */
  readonly onCheck?: ((done: number, total: number) => void) | undefined;
};

/**
 * Opens a model file on an engine.
 * @param id the name under which it is reported
 */
export async function openModel(id: string, path: string, options: HostOptions): Promise<Scorer> {
  const load = await readJudge(options)(id, path);
  return load(() => {});
}

/** Reads models that judge. */
export function readJudge(options: HostOptions): ReadModel<Scorer> {
  return async (id, path): Promise<Load<Scorer>> => {
    const { remote } = options;
    const told = (onDevice: Parameters<Load<Scorer>>[0]): EngineOptions => ({
      ...options,
      onDevice: (device) => {
        onDevice(device);
        options.onDevice?.(device);
      },
    });
    if (remote !== undefined) {
      const file = await readTokenizerFile(path);
      const fit = await readFit(file.checksum);
      return (onDevice) => connectModel(id, file, { ...remote, fit }, told(onDevice).onDevice);
    }
    if (!(await hasRewardHead(path))) {
      const file = await readLanguageModel(path);
      const fit = await readFit(file.revision);
      return async (onDevice) =>
        createLikelihoodScorer(id, file, await startEngine(file, told(onDevice)), fit);
    }
    const file = await readRewardModel(path);
    await verifyOnce(path, { onProgress: options.onCheck });
    const fit = await readFit(file.checksum);
    return async (onDevice) => createScorer(id, file, await startEngine(file, told(onDevice)), fit);
  };
}
