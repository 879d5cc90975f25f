/** What people read can be translated: all of it, as whole sentences. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { sentenceOf } from "../../../src/editor/sentences.ts";
import { Tracer } from "../../../src/inline/trace/trace.ts";
import { reportOf } from "../../../src/inline/trace/trace-report.ts";
import { RankError } from "../../../src/ranking/server-client.ts";
import { FAILURES, SourceError, type SourceErrorKind, WORDS } from "../../../src/sources/source-error.ts";
import { summaryOf } from "../../../src/statistics/outcomes.ts";
import { statisticsPage } from "../../../src/statistics/statistics-page.ts";

/** A language in which every template is written with other letters; what stands in a value stays as it is. */
const { pseudo } = vi.hoisted(() => ({
  pseudo(template: string, ...args: readonly unknown[]): string {
    const [first] = args;
    const values = typeof first === "object" && first !== null ? { ...first } : { ...args };
    return template
      .split(/(\{\w+\})/)
      .map((part, index) =>
        index % 2 === 0
          ? part.replace(/[A-Za-z]/g, "ж")
          : String(new Map(Object.entries(values)).get(part.slice(1, -1)) ?? ""),
      )
      .join("");
  },
}));
vi.mock("vscode", () => ({ l10n: { t: pseudo } }));

describe("the bundle of texts", () => {
  it("holds what the source says, nothing more, and every text of the interface passes through it", () => {
    const script = join(__dirname, "../../../scripts/l10n.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});

describe("in another language", () => {
  it("every failure of a source is told in it, with its values", () => {
    for (const kind of Object.keys(FAILURES) as SourceErrorKind[]) {
      const names = [...FAILURES[kind].matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      const sentence = sentenceOf(
        new SourceError(kind, Object.fromEntries(names.map((name) => [name, "⟨7⟩"]))),
      );
      expect(sentence, kind).not.toMatch(/[A-Za-z]|\{/);
      expect(sentence.match(/⟨7⟩/g)?.length ?? 0, kind).toBe(names.length);
    }
    expect(
      sentenceOf(new SourceError("rejected", { source: "7", status: "7", detail: WORDS.no_reason })),
    ).not.toMatch(/[A-Za-z]/);
  });

  it("a failure of the reward server is told by its code, with the server's own words behind", () => {
    const sentence = sentenceOf(new RankError("too_busy", "17 requests wait."));
    expect(sentence.replace("17 requests wait.", "")).not.toMatch(/[A-Za-z]/);
    expect(sentence).toContain("17 requests wait.");
    expect(sentenceOf(new RankError("invalid_json", "No template for it."))).toBe("No template for it.");
  });

  it("a server that died is told with the hint in it, and what only the server says as it said it", () => {
    const died = (hint?: "memory") =>
      new RankError("unreachable", "The reward server ended (code 7). Its words.", { hint });
    expect(sentenceOf(died("memory"))).not.toMatch(/[A-Za-z]/);
    expect(sentenceOf(died())).toContain("The reward server ended (code 7). Its words.");
  });

  it("the pages have no words of their own besides their templates", () => {
    const tracer = new Tracer("automatic", "7.7", 1);
    tracer.add({ kind: "asked", sources: ["7"], count: 4 });
    tracer.add({
      kind: "arrived",
      id: "7",
      source: "7",
      characters: 3,
      valid: false,
      reason: "7",
      draft: false,
    });
    tracer.add({ kind: "abstained", probability: 0.05, least: 0.1 });
    const report = reportOf(tracer.trace, [tracer.trace], true);
    expect(report.replaceAll(/ [AP]M\b/g, "")).not.toMatch(/[A-Za-z]/);
    const usage = { day: "7", label: "7", requests: 1, tokens: 2, estimated: true };
    expect(statisticsPage(summaryOf([]), [usage])).not.toMatch(/[A-Za-z]/);
  });
});
