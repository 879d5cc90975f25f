// Makes the corpus of cursor positions: `node scripts/cursor/make-corpus.mjs [CACHE]`, after a build. Fetches the
// packages (pip, npm, go, cargo, mvn) into CACHE, a new temporary folder by default, and writes
// test/fixtures/syntax/cursor-real/corpus.jsonl.gz. The same packages give the same bytes.
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "../setup.mjs";
import { CORPUS, loadAssembly } from "./corpus.mjs";
import { EXTENSIONS, fetchPackages, PACKAGES } from "./packages.mjs";
import { KINDS, positionIn, randomOf } from "./positions.mjs";

const SEED = 16;
/** Files of each language, with at most one position of each kind. */
const FILES = 52;
/** Size of a file, in characters: small enough to be kept whole, large enough to have functions. */
const LARGEST = 12 * 1024;
const SMALLEST = 800;

const cache = process.argv[2] ?? mkdtempSync(join(tmpdir(), "codescaler-corpus-"));
const { runtime } = await loadAssembly();
const lines = [];
for (const language of Object.keys(PACKAGES)) {
  await runtime.load(language);
  const random = randomOf(SEED);
  const packages = fetchPackages(language, join(cache, language));
  for (const { root: at, ...about } of packages)
    lines.push({ package: about.name, language, ...about, notice: noticeIn(at) });
  const shares = packages.map((one) => shuffled(filesIn(one.root, EXTENSIONS[language]), random));
  let taken = 0;
  // A file of each package in turn, so that no package is most of the corpus.
  for (let turn = 0; taken < FILES && shares.some((files) => turn < files.length); turn++) {
    for (const [index, files] of shares.entries()) {
      const file = files[turn];
      if (file === undefined || taken >= FILES) continue;
      const text = readFileSync(file, "utf8");
      const positions = positionsIn(text, language, random);
      if (positions.length < 3) continue;
      taken += 1;
      const path = relative(packages[index].root, file);
      lines.push({ file: path, of: packages[index].name, language, text, positions });
    }
  }
  const count = lines.flatMap((line) => (line.language === language ? (line.positions ?? []) : [])).length;
  console.log(`${language}: ${taken} files, ${count} positions`);
}
const packed = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { level: 9 });
// The byte of the operating system in the header of gzip.
packed[9] = 255;
writeFileSync(CORPUS, packed);
console.log(`${relative(root, CORPUS)}: ${packed.length} bytes`);
process.exit(0);

function positionsIn(text, language, random) {
  if (text.length > LARGEST || text.length < SMALLEST || /[^\n\t\x20-\x7e]/.test(text)) return [];
  const tree = runtime.parse(language, text);
  if (tree === null || tree.rootNode.hasError) return [];
  return KINDS.flatMap((kind) => positionIn(kind, text, tree, language, random) ?? []);
}

function filesIn(folder, extension) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter(
      (path) => path.endsWith(extension) && !/\.d\.ts$|_test\.go$|[/\\](?:tests?|testing)[/\\]/.test(path),
    )
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** The text of the licence, as the package has it; empty where only its files name it. */
function noticeIn(folder) {
  const found = readdirSync(folder, { recursive: true })
    .filter((name) => /(?:^|[/\\])(?:LICEN[CS]E|COPYING|UNLICENSE)[^/\\]*$/i.test(name))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
    .map((name) => join(folder, name))
    .find((path) => statSync(path).isFile());
  return found === undefined ? "" : readFileSync(found, "utf8");
}

function shuffled(items, random) {
  return items
    .map((item) => [random(), item])
    .sort((a, b) => a[0] - b[0])
    .map(([, item]) => item);
}
