/** What the tests of pulling share: a local Hub with one tiny model of the catalogue, and a folder to install into. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { ServiceError } from "../../server/errors.ts";
import { hubAt } from "../../server/models/hub/hub-site.ts";
import { type Pulled, type PullOptions, pull } from "../../server/models/hub/pull-checkpoint.ts";
import { type TinyOptions, temporaryFolder, tinyCheckpoint } from "./checkpoints.ts";
import { type Fault, type HubServer, type Repository, repositoryOf, startHub } from "./hub/hub.ts";

/** A repository of the catalogue, so that its name and family come from there. */
export const ID = "LARK-Lab/CodeScaler-1.7B";
export const NAME = "codescaler-1.7b";
export const COMMIT = "c".repeat(40);

export class PullSetting {
  readonly server: HubServer;
  /** The user's models; not there yet. */
  readonly folder: string;

  private constructor(server: HubServer) {
    this.server = server;
    this.folder = join(temporaryFolder(), "models");
    this.serve();
  }

  static async start(): Promise<PullSetting> {
    return new PullSetting(await startHub());
  }

  /** Puts a tiny model on the Hub. */
  serve(options: TinyOptions = {}, id = ID, commit = COMMIT): Repository {
    const repository = repositoryOf(tinyCheckpoint("qwen3", options).folder, "lfs", commit);
    this.server.repositories.set(id, repository);
    return repository;
  }

  pull(more: Partial<PullOptions> = {}, wanted = ID): Promise<Pulled> {
    return pull(wanted, {
      hub: { ...hubAt(this.server.endpoint), retryMs: 1, silenceMs: 5000 },
      folder: this.folder,
      type: "f32",
      signal: new AbortController().signal,
      ...more,
    });
  }

  installed(): string[] {
    return readdirSync(this.folder).filter((file) => file.endsWith(".gguf"));
  }

  downloads(): string[] {
    const folder = join(this.folder, ".downloads");
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Ranges in which large files were asked for. */
  ranges(): string[] {
    return this.server.seen.filter(({ where }) => where === "cdn").map(({ range }) => range ?? "whole");
  }

  /** Spoils every request whose path holds the text. */
  always(path: string, fault: Fault): void {
    this.server.fault = (request) => (request.path.includes(path) ? fault : undefined);
  }

  /** Spoils the first requests to the content network. */
  network(times: number, fault: Fault): void {
    let count = 0;
    this.server.fault = (request) => (request.where === "cdn" && count++ < times ? fault : undefined);
  }

  /** Spoils requests for the weights; the first is number 1. */
  weights(fault: (nth: number) => Fault | undefined): void {
    const content = this.server.repositories.get(ID)?.files.get("model.safetensors")?.content;
    if (content === undefined) throw new Error("the Hub has no weights");
    const hash = createHash("sha256").update(content).digest("hex");
    this.server.fault = (request, nth) =>
      request.where === "cdn" && request.path.endsWith(hash) ? fault(nth) : undefined;
  }

  /** The first request for the weights brings so many bytes, all further ones nothing. */
  brokenWeights(bytes: number): void {
    this.weights((nth) => (nth === 1 ? { kind: "cut", after: bytes } : { kind: "reply", status: 503 }));
  }

  heal(): void {
    this.server.fault = () => undefined;
  }
}

/** The sentence of a failure. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => new Error("it worked"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw error;
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}
