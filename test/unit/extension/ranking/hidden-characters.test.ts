import { expect, test } from "vitest";
import {
  checkedForHidden,
  hiddenReason,
  rankedForHidden,
} from "../../../../src/ranking/hidden-characters.ts";
import { replyOf } from "../reply.ts";

test("direction marks, zero-width characters and NUL are named; what is seen, and emoji, pass", () => {
  expect(hiddenReason("a = 1 \u202e# 1 = a")).toBe("It has characters that cannot be seen: U+202E.");
  expect(hiddenReason("ad\u200bmin = \0")).toBe("It has characters that cannot be seen: U+200B, U+0000.");
  expect(hiddenReason('\tprint("é 日本 👩‍👩‍👧 ✔️")\r\n')).toBeUndefined();
  expect(hiddenReason("a\u200db")).toContain("U+200D");
});

test("a completion with one is not valid, and keeps its text for the panel", () => {
  const insert = "return a\u200b + b";
  expect(checkedForHidden({ insert, valid: true, reason: null })).toEqual({
    insert,
    valid: false,
    reason: "It has characters that cannot be seen: U+200B.",
  });
  const broken = { insert, valid: false, reason: "It is cut off." };
  expect(checkedForHidden(broken)).toBe(broken);
});

test("a program with one is ranked behind those that are valid, whatever its reward", () => {
  const reply = replyOf([
    { id: "best", code: "a\u2066 = 1" },
    { id: "second", code: "a = 1" },
  ]);
  const { candidates } = rankedForHidden(reply);
  expect(candidates.map(({ id, rank, valid }) => [id, rank, valid])).toEqual([
    ["second", 1, true],
    ["best", 2, false],
  ]);
});
