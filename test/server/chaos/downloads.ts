/** Downloads of a model from a Hub of the chaos' own, whatever happens on the way. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../server/files/package-files.ts";
import { type HubServer, repositoryOf, startHub } from "../../helpers/hub/hub.ts";
import { runProgram } from "./program.ts";
import type { World } from "./world.ts";

const MODEL = "codescaler-1.7b";
const REPOSITORY = "LARK-Lab/CodeScaler-1.7B";

export class Downloads {
  readonly #world: World;
  readonly #hub: HubServer;
  /** SHA-256 of the model after the first download. */
  #model: string | undefined;

  private constructor(world: World, hub: HubServer) {
    this.#world = world;
    this.#hub = hub;
  }

  static async start(world: World): Promise<Downloads> {
    const hub = await startHub();
    const fixture = join(packageRoot, "test", "fixtures", "parity", "qwen3-tied", "model");
    hub.repositories.set(REPOSITORY, repositoryOf(fixture));
    return new Downloads(world, hub);
  }

  close(): Promise<void> {
    return this.#hub.close();
  }

  /** Downloads the model as often as it takes, and removes it again. */
  async pull(): Promise<void> {
    const env = { ...this.#world.env, HF_ENDPOINT: this.#hub.endpoint, HF_TOKEN: "" };
    for (let attempt = 0; ; attempt++) {
      const { code, stderr } = await runProgram(
        this.#world.now.script,
        ["models", "pull", MODEL, "--type", "f32"],
        env,
      );
      if (code === 0) break;
      // A killed one has no code; one that was asked to end says so.
      if (code !== null && !/was stopped\. The same command continues it\./.test(stderr)) {
        throw new Error(`the download failed: ${stderr}`);
      }
      if (attempt === 3) throw new Error(`the download does not end: ${stderr}`);
    }
    const path = join(this.#world.models, `${MODEL}.gguf`);
    const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
    this.#model ??= sum;
    if (sum !== this.#model) throw new Error("the same download became another model");
    const left = readdirSync(this.#world.models, { recursive: true, encoding: "utf8" }).sort();
    if (left.join() !== [".downloads", `${MODEL}.gguf`].join()) throw new Error(`a download left ${left}`);
    rmSync(path);
  }
}
