// Writes THIRD-PARTY-NOTICES.md, after a build: what is shipped (bundled, or beside the bundle), under which licence.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

/** Packages of which something is in a bundle, by the source maps: also what a package asks for if it is there. */
const dist = join(root, "dist");
const bundled = new Set(
  readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js.map"))
    .flatMap((file) => JSON.parse(readFileSync(join(dist, file), "utf8")).sources)
    .flatMap(
      (source) => /(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? [],
    ),
);
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
/** Grammars are development packages whose .wasm files are shipped. */
const shipped = Object.entries(lock).filter(
  ([path, entry]) =>
    path.startsWith("node_modules/") && (!entry.dev || bundled.has(path) || /tree-sitter-/.test(path)),
);
const parts = [];
for (const [path, entry] of shipped.sort(([a], [b]) => (a < b ? -1 : 1))) {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const folder = join(root, path);
  const file = existsSync(folder)
    ? readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one))
    : undefined;
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : undefined;
  parts.push(
    `## ${name} ${entry.version} (${entry.license ?? "see its package"})\n\n${text ? `\`\`\`\n${text.replaceAll("```", "'''")}\n\`\`\`` : "Its package carries no licence text on this platform."}`,
  );
}
writeFileSync(
  join(root, "THIRD-PARTY-NOTICES.md"),
  `# Third-party notices\n\nWritten by \`node scripts/notices.mjs\` from package-lock.json. The llama.cpp libraries inside the @node-llama-cpp packages are MIT-licensed (© The ggml authors).\n\n${parts.join("\n\n")}\n`,
);
