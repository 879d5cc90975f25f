/** What the last words of a server that died mean for the user. Pure. */

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /out of (?:device |host )?memory|ErrorOutOf(?:Device|Host)Memory|cudaMalloc failed|failed to allocate|bad_alloc|ENOMEM/i,
    "There is not enough memory for this reward model on this device. Choose a smaller model or type, or set codescaler.device to cpu.",
  ],
  [
    /SIGILL|illegal instruction|code 3221225501/i,
    "This processor lacks instructions that the engine was built with. Set codescaler.device to gpu, or report it.",
  ],
  [
    /GLIBC(?:XX)?_[\d.]+['’]? not found/i,
    "The system's C library is older than the engine needs. Update the system, or use a server on another machine (codescaler.server.url).",
  ],
  [
    /cannot open shared object|\.dll .*not found|module could not be found|Library not loaded/i,
    "A library that the engine needs is missing. Reinstall the extension for this platform.",
  ],
  [/ENOSPC/, "The disk is full. Free some space, then restart the reward server."],
  [
    /driver|VK_ERROR_(?:INCOMPATIBLE|INITIALIZATION|DEVICE_LOST)|ErrorDeviceLost|CUDA error/i,
    "The GPU's driver failed. Update it, or set codescaler.device to cpu.",
  ],
  [
    /SIGSEGV|SIGABRT|SIGBUS|code 3221225477/,
    "The inference engine crashed. Set codescaler.device to cpu, or report it with the server's last output.",
  ],
  [
    /SIGKILL/,
    "Something ended it by force, most likely the system because memory ran out. Choose a smaller reward model or type, or close other programs.",
  ],
];

/** A hint for the output of a process; undefined when nothing known stands there. */
export function hintFor(output: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(output))?.[1];
}
