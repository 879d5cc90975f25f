import { describe, expect, it } from "vitest";
import {
  accepted,
  keystroke,
  NOT_TYPING,
  pauseOf,
  shownAndIgnored,
  type Typing,
} from "../../../../src/inline/debounce.ts";

/** Keystrokes at equal distances. */
function burst(gap: number, count: number, from: Typing = NOT_TYPING): Typing {
  let typing = from;
  for (let index = 0; index < count; index++) typing = keystroke(typing, index * gap);
  return typing;
}

describe("the pause before asking", () => {
  it("is the setting for the first keystroke and after a long break", () => {
    expect(pauseOf(keystroke(NOT_TYPING, 0), 150)).toBe(150);
    expect(pauseOf(keystroke(burst(200, 10), 60_000), 150)).toBe(150);
  });

  it("grows to more than the usual gap of someone who types on", () => {
    expect(pauseOf(burst(200, 20), 150)).toBe(300);
  });

  it("grows while suggestions are typed over, and is short again after one was accepted", () => {
    let typing = keystroke(NOT_TYPING, 0);
    for (let index = 0; index < 20; index++) typing = shownAndIgnored(typing);
    expect(pauseOf(typing, 150)).toBe(300);
    expect(pauseOf(accepted(typing), 150)).toBe(150);
  });

  it("never exceeds four times the setting", () => {
    expect(pauseOf(burst(900, 20), 150)).toBe(600);
  });

  it("is switched off by 0", () => {
    expect(pauseOf(burst(900, 20), 0)).toBe(0);
  });

  it("is longer before a source that takes long, but no longer than ever", () => {
    expect(pauseOf(NOT_TYPING, 150, 300)).toBe(150);
    expect(pauseOf(NOT_TYPING, 150, 3000)).toBe(300);
    expect(pauseOf(NOT_TYPING, 150, 60_000)).toBe(600);
    expect(pauseOf(NOT_TYPING, 0, 60_000)).toBe(0);
  });
});
