/** Figures as people read them. Pure. */

/** A fraction as a whole percentage. */
export function percent(fraction: number): number {
  return Math.round(fraction * 100);
}

/** Bytes in the unit that people buy memory and disks in. */
export function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
