/** Doing one thing that goes wrong: a fault is armed and someone made to meet it, or the world is shaken. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Downloads } from "./downloads.ts";
import type { BadLines } from "./proxy.ts";
import type { Deed, Random } from "./schedule.ts";
import type { Request, Seat } from "./seat.ts";
import { signal, type World } from "./world.ts";

/** What faults happen to, and who meets them. */
export interface Scene {
  readonly world: World;
  readonly random: Random;
  readonly lines: BadLines;
  readonly downloads: Downloads;
  /** Those that share a server; the first lives from beginning to end. */
  readonly seats: readonly Seat[];
  /** A request that was never made before. */
  newRequest(): Request;
}

export class FaultInjector {
  readonly #scene: Scene;
  /** Whether the present server is of the newer version. */
  #upgraded = false;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async inject(deed: Deed): Promise<void> {
    switch (deed.by) {
      case "start": {
        this.#scene.world.arm(deed.step, deed.action, 1);
        // A server must start: because the present one dies, or because a user wants another.
        const pid = this.#scene.world.lease()?.pid;
        if (pid !== undefined && this.#scene.random.below(2) === 0) signal(pid, "SIGKILL");
        else await this.#seat().window.tell({ do: "restart" });
        return;
      }
      case "use":
        this.#scene.world.arm(deed.step, deed.action, 1);
        // A new window makes new connections, each of which wants a proof.
        if (deed.step === "proof" || deed.action === "hang") this.#seat().replace();
        return;
      case "pull":
        this.#scene.world.arm(deed.step, deed.action, 1);
        await this.#scene.downloads.pull();
        return;
      case "world":
        return this.#shake(deed.step);
      default:
        return deed satisfies never;
    }
  }

  async #shake(step: (Deed & { by: "world" })["step"]): Promise<void> {
    switch (step) {
      case "window":
        this.#seat().replace();
        return;
      case "line cut":
      case "line slow":
      case "line refused":
        this.#scene.lines.line = step === "line cut" ? "cut" : step === "line slow" ? "slow" : "refused";
        this.#scene.lines.cutAll();
        await sleep(500);
        this.#scene.lines.line = "good";
        return;
      case "disk": {
        this.#scene.world.fill();
        const pid = this.#scene.world.lease()?.pid;
        if (pid !== undefined) signal(pid, "SIGKILL");
        await sleep(2000);
        this.#scene.world.free();
        return;
      }
      case "version": {
        const seat = this.#seat();
        seat.replace(this.#upgraded ? this.#scene.world.now : this.#scene.world.next);
        // An older window uses the newer server for as long as there is one.
        if (this.#upgraded) {
          for (const other of this.#scene.seats) {
            if (other !== seat) other.replace(this.#scene.world.now);
          }
          await seat.answer(this.#scene.newRequest());
          await seat.window.tell({ do: "stop" });
        }
        this.#upgraded = !this.#upgraded;
        return;
      }
      default:
        return step satisfies never;
    }
  }

  /** One of the windows that may be replaced; the first lives from beginning to end. */
  #seat(): Seat {
    return this.#scene.random.pick(this.#scene.seats.slice(1));
  }
}
