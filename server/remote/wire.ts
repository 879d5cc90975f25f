/** How an engine on another host is asked for rewards over HTTP, apart from the connection: requests and answers. */
import type { Priority } from "../../shared/contract.ts";
import type { Tokens } from "../engine/engine.ts";

export interface WireRequest {
  readonly method: "GET" | "POST";
  /** Below the engine's base address. */
  readonly path: string;
  readonly body?: unknown;
}

export interface ScoreQuestion {
  /** The model's name there. */
  readonly model: string;
  readonly sequences: readonly Tokens[];
  readonly priority: Priority;
  /** False: the raw logits. True: what the engine's own activation makes of them. */
  readonly activated: boolean;
}

/** What became of one request for rewards. */
export interface WireScores {
  /** Raw logits, in the order of the sequences. */
  readonly rewards: Float64Array;
  /** Tokens that the engine says it decoded. */
  readonly decodedTokens: number;
}

/** One dialect. Nothing here touches the network. */
export interface Wire {
  /** The kind of engine, as a person would say it. */
  readonly product: string;
  /** What an unhealthy engine fails to answer; any success is health. */
  readonly health: WireRequest;
  score(question: ScoreQuestion): WireRequest;
  /** Whether `activated` means anything; a dialect without activations has nothing to switch off. */
  readonly activates: boolean;
  /**
   * Reads the answer to `score`.
   * @throws WireError
   */
  readScores(answer: unknown, sequences: readonly Tokens[]): WireScores;
}

/** An answer is not what the dialect promises. The sentence completes "HOST …" and ends without a full stop. */
export class WireError extends Error {
  override readonly name = "WireError";
}

export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A reward of an answer: a finite number. */
export function readReward(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new WireError("answers with something that is no number where a reward should be");
}

/** Tokens of all sequences together. */
export function countTokens(sequences: readonly Tokens[]): number {
  return sequences.reduce((sum, tokens) => sum + tokens.length, 0);
}
