import { describe, expect, it } from "vitest";
import { keyName, parseSources } from "../../../../src/sources/setup/source-settings.ts";
import { configuredSources } from "../../../../src/sources/source-names.ts";

const ollama = { id: "a", kind: "ollama", url: "http://127.0.0.1:11434", model: "qwen" };

describe("the setting of sources", () => {
  it("gives what can be used and says what cannot", () => {
    const { sources, problems } = parseSources([
      ollama,
      { id: "b", kind: "carrier pigeon", url: "http://127.0.0.1" },
      "nonsense",
      { ...ollama, url: "http://127.0.0.1:1" },
      { id: "lm", kind: "editor", model: "gpt" },
    ]);
    expect(sources).toEqual([
      { kind: "http", config: ollama },
      { kind: "editor", id: "lm", label: "Editor: gpt", model: "gpt" },
    ]);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain("codescaler.sources[1]");
    expect(problems[2]).toContain('id "a"');
  });

  it("leaves out what is switched off, in the status too", () => {
    const off = [{ ...ollama, enabled: false }];
    expect(parseSources(off)).toEqual({ sources: [], problems: [] });
    expect(configuredSources(off)).toEqual([]);
    expect(configuredSources([ollama, null, { id: 3 }])).toEqual([{ id: "a", label: "qwen" }]);
  });

  it("keeps keys by address, so that a known id at another address gets none", () => {
    expect(keyName("https://api.example.com/v1")).toBe(keyName("https://api.example.com/other"));
    expect(keyName("https://api.example.com")).not.toBe(keyName("https://api.example.com.evil.net"));
    expect(keyName("https://api.example.com")).not.toBe(keyName("http://api.example.com"));
  });
});
