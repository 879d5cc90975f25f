/** What the last words of a server that died mean for the user. Pure. */

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /out of (?:device )?memory|ErrorOutOfDeviceMemory|cudaMalloc failed|failed to allocate/i,
    "There is not enough memory for this reward model on this device. Choose a smaller one, or set codescaler.device to cpu.",
  ],
  [
    /SIGILL|illegal instruction/i,
    "This processor lacks instructions that the engine was built with. Set codescaler.device to gpu, or report it.",
  ],
  [
    /GLIBC(?:XX)?_[\d.]+['’]? not found/i,
    "The system's C library is older than the engine needs. Update the system, or use a server on another machine (codescaler.server.url).",
  ],
  [
    /cannot open shared object|\.dll .*not found|Library not loaded/i,
    "A library that the engine needs is missing. Reinstall the extension for this platform.",
  ],
  [/ENOSPC/, "The disk is full."],
];

/** A hint for the output of a process; undefined when nothing known stands there. */
export function hintFor(output: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(output))?.[1];
}
