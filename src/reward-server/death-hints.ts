/** What the last words of a server that died mean for the user. Pure. */

/** Templates for translations (src/editor/sentences.ts). */
export const HINTS = {
  memory:
    "There is not enough memory for this reward model on this device. Choose a smaller model or type, or set codescaler.device to cpu.",
  processor:
    "This processor lacks instructions that the engine was built with. Set codescaler.device to gpu, or report it.",
  c_library:
    "The system's C library is older than the engine needs. Update the system, or use a server on another machine (codescaler.server.url).",
  library: "A library that the engine needs is missing. Reinstall the extension for this platform.",
  disk: "The disk is full. Free some space, then restart the reward server.",
  driver: "The GPU's driver failed. Update it, or set codescaler.device to cpu.",
  crash:
    "The inference engine crashed. Set codescaler.device to cpu, or report it with the server's last output.",
  killed:
    "Something ended it by force, most likely the system because memory ran out. Choose a smaller reward model or type, or close other programs.",
} as const;
export type Hint = keyof typeof HINTS;

/** The first that matches says most. */
const PATTERNS: readonly (readonly [RegExp, Hint])[] = [
  [
    /out of (?:device |host )?memory|ErrorOutOf(?:Device|Host)Memory|cudaMalloc failed|failed to allocate|bad_alloc|ENOMEM/i,
    "memory",
  ],
  [/SIGILL|illegal instruction|code 3221225501/i, "processor"],
  [/GLIBC(?:XX)?_[\d.]+['’]? not found/i, "c_library"],
  [
    /cannot open shared object|\.dll [^.\n]*not found|module could not be found|Library not loaded/i,
    "library",
  ],
  [/ENOSPC/, "disk"],
  [/driver|VK_ERROR_(?:INCOMPATIBLE|INITIALIZATION|DEVICE_LOST)|ErrorDeviceLost|CUDA error/i, "driver"],
  [/SIGSEGV|SIGABRT|SIGBUS|code 3221225477/, "crash"],
  [/SIGKILL/, "killed"],
];

/** The hint for the output of a process; undefined when nothing known stands there. */
export function hintFor(output: string): Hint | undefined {
  return PATTERNS.find(([pattern]) => pattern.test(output))?.[1];
}
