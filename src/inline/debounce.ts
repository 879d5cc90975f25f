/** How long to wait after a keystroke before asking: longer for people who are typing on. Pure. */

export interface Typing {
  /** When the last keystroke was, in milliseconds; undefined before the first. */
  readonly lastAt: number | undefined;
  /** Usual time between keystrokes in this burst. */
  readonly gap: number;
  /** Suggestions in a row that were shown and typed over. */
  readonly ignored: number;
}

export const NOT_TYPING: Typing = { lastAt: undefined, gap: 0, ignored: 0 };

/** A longer pause than this ends a burst of typing and says nothing about its speed. */
const BURST_MS = 1000;
/** Weight of the newest gap. */
const NEWEST = 0.3;
/** A pause that is this many usual gaps long is probably the end of the burst. */
const GAPS = 1.5;
/** Ignored suggestions after which the pause is at its longest. */
const PATIENCE = 6;
/** The longest pause, in shortest ones: beyond it, suggestions would seem to be off. */
const MOST = 4;

/** A pause of this part of what an answer takes delays it little. */
const SHARE = 0.1;

export function keystroke(typing: Typing, now: number): Typing {
  const gap = typing.lastAt === undefined ? BURST_MS : now - typing.lastAt;
  if (gap >= BURST_MS) return { ...typing, lastAt: now, gap: 0 };
  return { ...typing, lastAt: now, gap: typing.gap === 0 ? gap : typing.gap * (1 - NEWEST) + gap * NEWEST };
}

export function shownAndIgnored(typing: Typing): Typing {
  return { ...typing, ignored: Math.min(PATIENCE, typing.ignored + 1) };
}

export function accepted(typing: Typing): Typing {
  return { ...typing, ignored: 0 };
}

/**
 * The pause before asking, in milliseconds.
 * @param shortest the user's setting; 0 switches waiting off
 * @param usualMs time to the first completion, as it usually takes: what takes long is not begun for nothing
 */
export function pauseOf(typing: Typing, shortest: number, usualMs = 0): number {
  const patience = shortest * (1 + typing.ignored / PATIENCE);
  return Math.round(Math.min(shortest * MOST, Math.max(patience, typing.gap * GAPS, usualMs * SHARE)));
}
