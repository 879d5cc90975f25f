// Writes what package.json, package.nls.json and docs/settings.md say of settings, commands and languages, from the
// tables in src: `node scripts/manifest.mjs`; `--check` changes nothing and fails when a file is not what it would be.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./setup.mjs";

const { COMMANDS, SETTINGS, RESTRICTED, EDITOR_LANGUAGES, ...texts } = await tables();
const { SETTING_DECLARATIONS, DEVICE_TEXTS, KIND_TEXTS, SOURCE_TEXTS } = texts;
const commands = Object.entries(COMMANDS);
const settings = Object.entries(SETTING_DECLARATIONS);

const written = {
  "package.json": json(manifest(JSON.parse(read("package.json")))),
  "package.nls.json": json(nls(JSON.parse(read("package.nls.json")))),
  "docs/settings.md": page(),
};
const drifted = Object.entries(written).filter(([name, text]) => read(name) !== text);
if (process.argv.includes("--check")) {
  for (const [name] of drifted) console.error(`${name} is not what the tables say. Run “npm run manifest”.`);
  process.exit(drifted.length > 0 ? 1 : 0);
}
for (const [name, text] of drifted) writeFileSync(join(root, name), text);

/** The tables themselves: TypeScript that Node cannot read by itself. */
async function tables() {
  const files = ["commands/command-declarations", "editor/settings", "editor/setting-declarations"];
  const contents = [...files, "editor/supported-documents"].map(
    (file) => `export * from "./src/${file}.ts";`,
  );
  const { outputFiles } = await build({
    stdin: { contents: contents.join("\n"), resolveDir: root },
    bundle: true,
    format: "esm",
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

function manifest(before) {
  const { activationEvents, capabilities, contributes } = before;
  const own = (name) => `codescaler.${name}`;
  const restricted = { restrictedConfigurations: RESTRICTED.map(own) };
  return {
    ...before,
    capabilities: {
      ...capabilities,
      untrustedWorkspaces: { ...capabilities.untrustedWorkspaces, ...restricted },
    },
    activationEvents: [
      ...EDITOR_LANGUAGES.map((language) => `onLanguage:${language}`),
      ...activationEvents.filter((event) => !event.startsWith("onLanguage:")),
    ],
    contributes: {
      ...contributes,
      commands: commands.map(([name, { icon, enablement }]) => ({
        command: own(name),
        title: `%command.${name}%`,
        category: "CodeScaler",
        ...(icon && { icon }),
        ...(enablement && { enablement }),
      })),
      keybindings: commands.flatMap(([name, { keybinding }]) =>
        keybinding ? [{ command: own(name), ...keybinding }] : [],
      ),
      menus: {
        ...contributes.menus,
        commandPalette: commands.flatMap(([name, { enablement }]) =>
          enablement ? [{ command: own(name), when: enablement }] : [],
        ),
        "codescaler.editor": commands
          .flatMap(([name, { editorMenu }]) => (editorMenu ? [{ command: own(name), ...editorMenu }] : []))
          .sort((a, b) => a.group.localeCompare(b.group)),
      },
      configuration: {
        ...contributes.configuration,
        properties: Object.fromEntries(settings.map(([name, one]) => [own(name), property(name, one)])),
      },
    },
  };
}

function property(name, { scope, text, schema }) {
  const { fallback, schema: parsed } = SETTINGS[name];
  const { type, ...rest } = { ...parsed, ...schema };
  const description = /[`*#]/.test(text) ? "markdownDescription" : "description";
  return { type, default: fallback, ...rest, scope, [description]: `%setting.${name}%` };
}

/** Texts by their keys; those of no table (walkthrough, Restricted Mode) are kept as they are. */
function nls(before) {
  const generated = /^(?:command|setting|source)\./;
  const keyed = (prefix, all) => Object.entries(all).map(([name, text]) => [`${prefix}.${name}`, text]);
  return Object.fromEntries([
    ...Object.entries(before).filter(([key]) => !generated.test(key)),
    ...commands.map(([name, { title }]) => [`command.${name}`, title]),
    ...settings.map(([name, { text }]) => [`setting.${name}`, text]),
    ...keyed("setting.device", DEVICE_TEXTS),
    ...keyed("source", SOURCE_TEXTS),
    ...keyed("source.kind", KIND_TEXTS),
  ]);
}

function page() {
  const code = (text) => `\`${text}\``;
  const cell = (text) => text.replaceAll("|", "\\|").replaceAll(/`#([\w.]+)#`/g, "`$1`");
  const value = ({ fallback, schema }) => {
    if (Array.isArray(fallback) && fallback.length > 0) return "see below";
    const { minimum, maximum, enum: values } = schema;
    const bounds = values
      ? `; ${values.map((one) => code(one)).join(", ")}`
      : maximum !== undefined
        ? `; ${minimum} to ${maximum}`
        : "";
    return `${code(JSON.stringify(fallback))}${bounds}`;
  };
  return `<!-- Written by scripts/manifest.mjs from the tables in src. Change those, then run "npm run manifest". -->

# Settings and commands

## Settings

Each name begins with \`codescaler.\`. A workspace in Restricted Mode does not decide those marked with ◆.

| setting | default | meaning |
|---|---|---|
${settings
  .map(([name, { text }]) => {
    const mark = RESTRICTED.includes(name) ? " ◆" : "";
    return `| ${code(name)}${mark} | ${value(SETTINGS[name])} | ${cell(text)} |`;
  })
  .join("\n")}

Files that may hold secrets, unless you set \`secretFiles\`: ${SETTINGS.secretFiles.fallback.map(code).join(", ")}.

### An entry of \`sources\`

| field | meaning |
|---|---|
${Object.entries(SOURCE_TEXTS)
  .map(([name, text]) => `| ${code(name)} | ${cell(text)} |`)
  .join("\n")}

| \`kind\` | meaning |
|---|---|
${Object.entries(KIND_TEXTS)
  .map(([name, text]) => `| ${code(name)} | ${cell(text)} |`)
  .join("\n")}

## Commands

All are in the command palette under *CodeScaler*.

| command | id | keys |
|---|---|---|
${commands
  .map(([name, { title, keybinding }]) => {
    const keys = keybinding ? `${code(keybinding.key)}, on a Mac ${code(keybinding.mac)}` : "";
    return `| ${cell(title)} | ${code(`codescaler.${name}`)} | ${keys} |`;
  })
  .join("\n")}
`;
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function read(name) {
  try {
    return readFileSync(join(root, name), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return "";
    throw error;
  }
}
