/** A TCP proxy whose lines are bad: slow, cut in the middle, or refused. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Random } from "./schedule.ts";

/** `cut` after some bytes of the reply, `slow` in small pieces, `refused` at once. */
export type Line = "good" | "cut" | "slow" | "refused";

export class BadLines {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#join(client));
  readonly #random: Random;
  /** Where connections go; 0: nobody is there. */
  target = 0;
  /** What the next connections are; existing ones stay as they are. */
  line: Line = "good";

  constructor(random: Random) {
    this.#random = random;
  }

  /** Connections that are open, both sides counted. */
  get open(): number {
    return this.#sockets.size;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections, as a network that goes away. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    if (this.line === "refused" || this.target === 0) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, "127.0.0.1");
    const both = [client, server];
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        for (const other of both) other.destroy();
      });
    }
    const { line } = this;
    let left = line === "cut" ? this.#random.below(600) : Number.POSITIVE_INFINITY;
    client.on("data", (data) => server.write(data));
    if (line !== "slow") {
      server.on("data", (data) => {
        client.write(data.subarray(0, left));
        left -= data.length;
        if (left <= 0) client.resetAndDestroy();
      });
      return;
    }
    server.on("data", async (data) => {
      server.pause();
      for (let at = 0; at < data.length && !client.destroyed; at += 64) {
        client.write(data.subarray(at, at + 64));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      server.resume();
    });
  }
}
