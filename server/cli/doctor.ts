/** `codescaler doctor`: what this machine has, what a model would run on, and what can be done about it. */

import { gigabytes } from "../../shared/gigabytes.ts";
import { forgetLosses } from "../devices/crash-marks.ts";
import { forgetProbes } from "../devices/probe-cache.ts";
import { type Facts, gatherFacts, type ProbeFacts, type System } from "../doctor/facts.ts";
import { type ChosenDevice, choose, hintsFor } from "../doctor/hints.ts";
import { BACKEND_NAMES } from "../engine/llama/builds.ts";
import { readArgs } from "./arguments.ts";
import { print, requireNoMore } from "./models/output.ts";
import { formatTable } from "./table.ts";

export const usage = `Usage: codescaler doctor [--json]

Looks anew at drivers and GPUs, tests each build on them, and prints what was found, what a model runs on and why, and
what can be done. Forgets failures of earlier starts, so that the next one tries the GPU again.
Nothing is sent anywhere; paths of this machine are in the output.`;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } });
  requireNoMore(positionals);
  await forgetProbes();
  const facts = await gatherFacts();
  await forgetLosses();
  const chosen = choose(facts);
  const hints = hintsFor(facts);
  print(values.json, documentOf(facts, chosen, hints), describe(facts, chosen, hints));
  return 0;
}

/** The JSON document: names as in the other commands, `null` for what was not found. */
function documentOf(facts: Facts, chosen: ChosenDevice, hints: readonly string[]) {
  const { drivers, probes } = facts;
  return {
    ...facts,
    drivers: {
      nvidia: drivers.nvidia ?? null,
      nodes: drivers.nodes,
      vulkan_loader: drivers.vulkanLoader ?? null,
      vulkan_drivers: drivers.vulkanDrivers,
      cuda_runtimes: drivers.cudaRuntimes,
    },
    probes: probes.map(({ devices, ...probe }) => ({
      ...probe,
      devices: devices.map(({ name, description, type, freeBytes, totalBytes }) => ({
        name,
        description,
        type,
        free_bytes: freeBytes,
        total_bytes: totalBytes,
      })),
    })),
    chosen,
    hints,
  };
}

function describe(facts: Facts, chosen: ChosenDevice, hints: readonly string[]): string {
  const { system, store, drivers } = facts;
  const place = [system.wsl ? "WSL" : "", system.container ? "container" : ""].filter((one) => one !== "");
  const rows: [string, string][] = [
    ["CodeScaler", `${facts.version}, inference libraries ${facts.build_version}`],
    [
      "System",
      [system.name, `${system.platform}-${system.arch}`, `kernel ${system.kernel}`, ...place].join(", "),
    ],
    ["Runtime", runtimeOf(system)],
    ["CPU", `${system.cpu}, ${system.cores} cores (${system.cpu_features.join(" ") || "features unknown"})`],
    ["Memory", `${gigabytes(system.free_memory_bytes)} of ${gigabytes(system.memory_bytes)} free`],
    ["Models", `${store.folder}${store.free_bytes === null ? "" : `, ${gigabytes(store.free_bytes)} free`}`],
    ["NVIDIA driver", drivers.nvidia ?? "none found"],
    [
      "CUDA runtime",
      drivers.cudaRuntimes.map(({ major, libraries: [first] }) => `${major} (${first})`).join(", ") ||
        "none found",
    ],
    [
      "Vulkan",
      [
        drivers.vulkanLoader ?? "no loader",
        ...drivers.vulkanDrivers.map((path) =>
          path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1),
        ),
      ].join(", "),
    ],
    [
      "Device nodes",
      drivers.nodes.map(({ path, usable }) => (usable ? path : `${path} (no access)`)).join(", ") || "none",
    ],
    ...facts.builds.map(({ backend, bytes, added, cuda_runtime: cuda }): [string, string] => [
      `${BACKEND_NAMES[backend]} build`,
      `${gigabytes(bytes)}${added ? `, added, for CUDA ${cuda}` : ""}`,
    ]),
    ...facts.probes.map((probe): [string, string] => [
      `${BACKEND_NAMES[probe.backend]} test`,
      describeProbe(probe),
    ]),
  ];
  return [
    formatTable(["", ""], rows).split("\n").slice(1).join("\n"),
    `Models run on: ${BACKEND_NAMES[chosen.backend]}, ${chosen.device}. ${chosen.reason}`,
    hints.length === 0
      ? "Nothing to do."
      : `What can be done\n${hints.map((hint) => `- ${hint}`).join("\n")}`,
  ].join("\n\n");
}

/** What the program runs on: plain Node or Electron's, which has rules of its own. */
export function runtimeOf({ node, electron, glibc }: Pick<System, "node" | "electron" | "glibc">): string {
  const program = electron === null ? `Node ${node}` : `Electron ${electron} with Node ${node}`;
  return glibc === null ? program : `${program}, glibc ${glibc}`;
}

function describeProbe({ result, problem, devices, seconds }: ProbeFacts): string {
  if (result !== "usable") return `${result}: ${problem}`;
  const found = devices.map(
    ({ description, freeBytes, totalBytes }) =>
      `${description}, ${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} free`,
  );
  return `${found.join("; ")}; test model right after ${seconds.toFixed(1)} s`;
}
