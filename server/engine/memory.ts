/** This machine's own memory, and the context that fits into it. */
import { freemem, totalmem } from "node:os";
import { ServiceError } from "../errors.ts";

/** Room for compute buffers beside weights and KV cache: 58 MiB were measured for 1.7B at batches of 512. */
const COMPUTE_BYTES = 256 * 2 ** 20;
/** A CPU reads every used cell for every token: 8,192 cells are a question with fifty candidates. */
export const CPU_CONTEXT = 8192;

/**
 * Memory that may be taken, in bytes. On Linux what the kernel says is available (Node 20.13 and newer also heed
 * the container's limit). macOS and Windows count pages as used that they give back on demand: half of all is
 * assumed there.
 */
export function freeMemory(): number {
  if (process.platform !== "linux") return Math.max(freemem(), totalmem() / 2);
  return typeof process.availableMemory === "function" ? process.availableMemory() : freemem();
}

/**
 * Context of a model that is wholly on the CPU: as much as is useful, or as fits.
 * @param wanted what was asked for
 * @throws ServiceError engine_failed when not even the least fits
 */
export function cpuContext(
  model: { readonly fileBytes: number; readonly kvBytesPerToken: number; readonly maxTokens: number },
  wanted: number | undefined,
  valueBytes: 2 | 4,
  memory: number,
): number {
  const bytesPerToken = (model.kvBytesPerToken * valueBytes) / 2;
  const room = Math.floor((memory - model.fileBytes - COMPUTE_BYTES) / bytesPerToken);
  const most = wanted ?? Math.max(CPU_CONTEXT, 2 * model.maxTokens);
  const least = wanted ?? Math.min(most, model.maxTokens + 512);
  if (room < least) {
    throw new ServiceError(
      "engine_failed",
      `The model needs about ${gib(model.fileBytes + COMPUTE_BYTES + least * bytesPerToken)} of memory, but ${gib(memory)} is free. Choose a smaller model or type.`,
    );
  }
  // llama.cpp rounds the context up to whole blocks of 256 cells.
  return Math.floor(Math.min(most, room) / 256) * 256 || 256;
}

/** "1.5 GiB". */
export function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
