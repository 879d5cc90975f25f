/** What a model is loaded for: to judge, or to write. */
import type { DeviceReport } from "../../../shared/contract.ts";
import type { EngineModel, EngineSettings } from "../settings.ts";
import type { Bindings } from "./bindings.ts";
import type { LlamaEngine } from "./llama-engine.ts";
import type { LlamaWriter } from "./llama-writer.ts";
import { loadLlama, loadWriter } from "./load.ts";

export interface Role<T extends Started> {
  load(bindings: Bindings, model: EngineModel, settings: EngineSettings): Promise<T>;
  /** Cells of the KV cache that are useful on a CPU. */
  readonly cpuContext: (maxPositions: number, wanted: number | undefined) => number | undefined;
}

/** An engine or a writer. */
export interface Started {
  readonly device: string;
  readonly contextTokens: number;
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

export interface StartedOn<T> {
  readonly started: T;
  readonly device: DeviceReport;
}

export const JUDGE: Role<LlamaEngine> = { load: loadLlama, cpuContext: (_maxPositions, wanted) => wanted };
/** A prompt of 2,500 tokens with 8 completions of 128, or less with more of them. */
const WRITER_CONTEXT = 4096;
export const WRITER: Role<LlamaWriter> = {
  load: loadWriter,
  cpuContext: (maxPositions, wanted) => wanted ?? Math.min(WRITER_CONTEXT, maxPositions),
};
