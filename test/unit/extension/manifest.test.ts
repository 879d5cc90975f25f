import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { languageOf } from "../../../shared/syntax/languages/languages.ts";
import { COMMANDS } from "../../../src/commands/command-declarations.ts";
import { RESTRICTED, SETTINGS, type Setting } from "../../../src/editor/settings.ts";
import { EDITOR_LANGUAGES } from "../../../src/editor/supported-documents.ts";

interface Property {
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly scope?: string;
}
const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8"));
const manifest = read("package.json");
const texts: Readonly<Record<string, string>> = read("package.nls.json");
const properties: Readonly<Record<string, Property>> = manifest.contributes.configuration.properties;

describe("the manifest", () => {
  it("is written from the tables of settings and commands, and so are its texts and their page", () => {
    const script = join(__dirname, "../../../scripts/manifest.mjs");
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  it("declares exactly the settings that are read, with the same defaults", () => {
    const declared = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [
        name.replace("codescaler.", ""),
        property.default,
      ]),
    );
    const used = Object.fromEntries(
      Object.entries<Setting<unknown>>(SETTINGS).map(([name, { fallback }]) => [name, fallback]),
    );
    expect(declared).toEqual(used);
  });

  it("bounds numbers where the code does", () => {
    for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
      const { minimum, maximum } = properties[`codescaler.${name}`] ?? {};
      if (minimum !== undefined) expect(setting.parse(minimum - 1), name).toBe(minimum);
      if (maximum !== undefined) expect(setting.parse(maximum + 1), name).toBe(maximum);
    }
  });

  it("accepts every value of an enumeration", () => {
    for (const [name, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
      for (const value of properties[`codescaler.${name}`]?.enum ?? [])
        expect(setting.parse(value)).toBe(value);
    }
  });

  it("gives every setting a scope", () => {
    expect(Object.entries(properties).filter(([, { scope }]) => scope === undefined)).toEqual([]);
  });

  it("lets no folder decide where code goes, what may go there, or which programs and models run", () => {
    const own = ["sources", "server.url", "server.engines", "secretFiles", "rewardModel", "device"];
    const limits = ["dailyRequestLimit", "dailyTokenLimit", "server.unloadAfter"];
    for (const name of [...own, ...limits])
      expect(properties[`codescaler.${name}`]?.scope, name).toBe("machine");
  });

  it("restricts in Restricted Mode what the code restricts", () => {
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(
      RESTRICTED.map((name) => `codescaler.${name}`),
    );
  });

  it("declares exactly the commands that have a handler, all in one category", () => {
    const commands: { command: string; category: string }[] = manifest.contributes.commands;
    expect(commands.map(({ command }) => command)).toEqual(
      Object.keys(COMMANDS).map((name) => `codescaler.${name}`),
    );
    expect(new Set(commands.map(({ category }) => category))).toEqual(new Set(["CodeScaler"]));
  });

  it("hides a command from the palette exactly while it is disabled", () => {
    const commands: { command: string; enablement?: string }[] = manifest.contributes.commands;
    const palette: { command: string; when: string }[] = manifest.contributes.menus.commandPalette;
    expect(Object.fromEntries(palette.map(({ command, when }) => [command, when]))).toEqual(
      Object.fromEntries(
        commands.flatMap(({ command, enablement }) => (enablement ? [[command, enablement]] : [])),
      ),
    );
  });

  it("activates for the languages that it serves", () => {
    const events: string[] = manifest.activationEvents;
    expect(events.filter((event) => event.startsWith("onLanguage:"))).toEqual(
      EDITOR_LANGUAGES.map((language) => `onLanguage:${language}`),
    );
    for (const language of EDITOR_LANGUAGES) expect(languageOf(language), language).toBeDefined();
  });

  it("has a text for every key, and a use for every text", () => {
    const used = new Set([...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key));
    expect([...used].sort()).toEqual(Object.keys(texts).sort());
  });
});
