/** How a server proves that it knows the token of its lease, without showing it. Pure. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Lease } from "./lease.ts";

/** Where the proof is asked for: `GET PATH?nonce=NONCE` → `{"proof": HEX}`, without a token. */
export const CHALLENGE_PATH = "/v1/challenge";
/** 32 random bytes in hex. */
export const NONCE = /^[0-9a-f]{64}$/;

export type Proven = Pick<Lease, "version" | "pid" | "port" | "token">;

export function newNonce(): string {
  return randomBytes(32).toString("hex");
}

/**
 * HMAC-SHA256 of nonce, version, process and port under the token, in hex. The port is in it, so that whoever took
 * over an old port cannot pass the question on to the server at its new one.
 */
export function proofOf({ token, version, pid, port }: Proven, nonce: string): string {
  return createHmac("sha256", token)
    .update(["codescaler challenge", nonce, version, pid, port].join("\n"))
    .digest("hex");
}

/** Compares in a time that says nothing about where they differ. */
export function isProof(lease: Proven, nonce: string, given: unknown): boolean {
  const wanted = Buffer.from(proofOf(lease, nonce));
  const got = Buffer.from(typeof given === "string" ? given : "");
  return got.length === wanted.length && timingSafeEqual(got, wanted);
}
