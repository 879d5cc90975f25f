/** What the tests of remote engines share: nano, scored here, behind servers that speak as vLLM does. */

import { join } from "node:path";
import type { Engine } from "../../server/engine/engine.ts";
import { startEngine } from "../../server/engine/llama/start.ts";
import type { RewardModelFile } from "../../server/models/model-file.ts";
import { readRewardModel } from "../../server/models/read-model.ts";
import { createScorer, type Scorer } from "../../server/ranking/scorer.ts";
import { connectModel } from "../../server/remote/connect-model.ts";
import { type PoolTiming, TIMING } from "../../server/remote/pool.ts";
import { readTargets } from "../../server/remote/targets.ts";
import type { EngineState } from "../../shared/contract.ts";
import { ROOT } from "./paths.ts";
import { startVllm, type VllmOptions, type VllmReplay } from "./replay/vllm.ts";
import type { Reward } from "./replay/vllm-setups.ts";

const PATH = join(ROOT, "media/nano.gguf");

/** Real pauses would only make the tests slow. */
export const QUICK: PoolTiming = { ...TIMING, firstPauseMs: 20, longestPauseMs: 200, leastPauseMs: 0 };

export class RemoteSetting {
  readonly file: RewardModelFile;
  readonly engine: Engine;
  readonly local: Scorer;

  private constructor(file: RewardModelFile, engine: Engine) {
    this.file = file;
    this.engine = engine;
    this.local = createScorer("nano", file, engine);
  }

  static async start(): Promise<RemoteSetting> {
    const file = await readRewardModel(PATH);
    return new RemoteSetting(
      file,
      await startEngine(file, { device: "cpu", threads: 1, precision: "exact" }),
    );
  }

  /** nano's rewards, computed here. */
  readonly reward: Reward = async (sequences) => {
    const tokens = sequences.map((one) => Int32Array.from(one));
    return (await this.engine.score(tokens, { priority: "bulk" })).rewards;
  };

  /** A server with nano behind it. */
  serve(options: Partial<VllmOptions> = {}): Promise<VllmReplay> {
    return startVllm({
      reward: this.reward,
      tokenize: (text) => Array.from(this.engine.tokenizer.encodeRendered(text)),
      maxModelLen: this.file.maxTokens,
      ...options,
    });
  }

  /** Opens nano on servers, as a scorer. */
  open(
    servers: readonly { readonly url: string }[],
    more: {
      readonly token?: string;
      readonly timing?: Partial<PoolTiming>;
      readonly onChange?: (state: EngineState) => void;
    } = {},
  ): Promise<Scorer> {
    return connectModel("nano", this.file, {
      targets: readTargets(
        servers.map(({ url }) => url),
        more.token,
      ),
      timing: { ...QUICK, ...more.timing },
      ...(more.onChange && { onChange: more.onChange }),
    });
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
