/** Bytes as people buy memory and disks: in GB of 10⁹ bytes, and small sizes in whole MB, rounded up. */
export function gigabytes(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
