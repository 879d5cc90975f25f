/** What was found out about a build on this machine, kept until driver, library or system change. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createPending } from "../files/disk.ts";
import { cacheFolder } from "../files/folders.ts";

const device = z.object({
  name: z.string(),
  description: z.string(),
  type: z.enum(["cpu", "gpu", "igpu", "accelerator", "meta"]),
  freeBytes: z.number(),
  totalBytes: z.number(),
});

/**
 * What a child process found. `absent`: the build works and sees no GPU, which is no failure. `stopped`: it was ended
 * together with this process, which says nothing.
 */
export const probeResult = z.union([
  z.object({ kind: z.literal("usable"), devices: z.array(device) }),
  z.object({ kind: z.enum(["absent", "failed", "crashed", "hung", "stopped"]), problem: z.string() }),
]);
export type ProbeResult = z.infer<typeof probeResult>;

const entry = z.object({
  result: probeResult,
  /** Milliseconds since 1970. */
  at: z.number(),
  seconds: z.number(),
});
export type ProbeRecord = z.infer<typeof entry>;

/** A build that did not work is tried again after so long: a cable, a container's start or another program may have been the reason. */
const RETRY_MS = 24 * 60 * 60 * 1000;
/** Entries of other drivers and versions that are kept: someone switches between two. */
const KEPT = 16;

function cacheFile(): string {
  return join(cacheFolder(), "devices.json");
}

/** What is known of `key` and still holds; undefined when it must be found out. A damaged file counts as empty. */
export async function recall(key: string, now: number = Date.now()): Promise<ProbeRecord | undefined> {
  const record = (await readAll()).get(key);
  if (record === undefined || record.at > now) return undefined;
  return record.result.kind === "usable" || now - record.at < RETRY_MS ? record : undefined;
}

/** Keeps a result that says something. A cache that cannot be written costs a probe at the next start, nothing else. */
export async function remember(key: string, record: ProbeRecord): Promise<void> {
  if (record.result.kind === "stopped") return;
  const all = await readAll();
  all.delete(key);
  all.set(key, record);
  await writeAll(new Map([...all].slice(-KEPT)));
}

/** Forgets everything, so that the next start looks anew. */
export async function forgetProbes(): Promise<void> {
  if ((await readAll()).size > 0) await writeAll(new Map());
}

async function readAll(): Promise<Map<string, ProbeRecord>> {
  const all = new Map<string, ProbeRecord>();
  const text = await readFile(cacheFile(), "utf8").catch(() => "");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return all;
  }
  for (const [key, value] of Object.entries(z.record(z.string(), z.unknown()).safeParse(parsed).data ?? {})) {
    const record = entry.safeParse(value).data;
    if (record !== undefined) all.set(key, record);
  }
  return all;
}

async function writeAll(all: ReadonlyMap<string, ProbeRecord>): Promise<void> {
  const file = cacheFile();
  try {
    await mkdir(dirname(file), { recursive: true });
    const pending = await createPending(file);
    try {
      await pending.write(Buffer.from(`${JSON.stringify(Object.fromEntries(all), undefined, 1)}\n`), 0);
      await pending.commit();
    } catch (error) {
      await pending.discard();
      throw error;
    }
  } catch {
    // A read-only home: everything is found out at each start.
  }
}
