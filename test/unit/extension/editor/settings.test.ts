import { describe, expect, it } from "vitest";
import { readSettings, SECRET_FILES, type SettingName } from "../../../../src/editor/settings.ts";

interface RawValue {
  readonly value: unknown;
  readonly user: unknown;
}
const reading = (values: Partial<Record<SettingName, RawValue>>, trusted = true) =>
  readSettings({ value: (name) => values[name]?.value, user: (name) => values[name]?.user }, trusted);

describe("settings", () => {
  it("fall back to their defaults where nothing, or nothing usable, is set", () => {
    const settings = reading({
      candidates: { value: "many", user: "many" },
      device: { value: "toaster", user: "toaster" },
    });
    expect(settings.candidates).toBe(8);
    expect(settings.device).toBe("auto");
    expect(settings.secretFiles).toBe(SECRET_FILES);
  });

  it("are taken to the nearest bound, and to whole numbers", () => {
    const settings = reading({
      "automatic.candidates": { value: 1000, user: undefined },
      candidates: { value: 3.6, user: undefined },
    });
    expect(settings["automatic.candidates"]).toBe(32);
    expect(settings.candidates).toBe(4);
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(reading({}))).toBe(true);
  });

  it("that name endpoints or secrets are not decided by a workspace that is not trusted", () => {
    const values = {
      "server.url": { value: "http://evil.example", user: "http://127.0.0.1:8137" },
      secretFiles: { value: [], user: undefined },
      sources: { value: [{ id: "evil" }], user: undefined },
      maxTokens: { value: 64, user: undefined },
    };
    const distrusted = reading(values, false);
    expect(distrusted["server.url"]).toBe("http://127.0.0.1:8137");
    expect(distrusted.secretFiles).toBe(SECRET_FILES);
    expect(distrusted.sources).toEqual([]);
    expect(distrusted.maxTokens).toBe(64);
    expect(reading(values)["server.url"]).toBe("http://evil.example");
  });
});
