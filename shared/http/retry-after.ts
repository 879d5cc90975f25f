/** How long a server asks to be left alone (RFC 9110, section 10.2.3). Pure. */

/** Milliseconds of a `Retry-After`: seconds or a date; undefined where there is none that can be read. */
export function retryAfterMs(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
