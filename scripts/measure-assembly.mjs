// How well completions are put at a cursor: `node scripts/measure-assembly.mjs [TREE]`, after a build. Over the corpus
// of test/fixtures/syntax/cursor-real it prints, for this working tree and for TREE (an older one) if it is given:
//   - how often what the author wrote at a position comes through unchanged, alone and with the next lines behind it;
//   - of what models wrote there: how much is shown, parses, repeats what follows, is indented otherwise than written.
// With a number in SHOW so many failures of the first are printed.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, loadAssembly, positions, rowsOf } from "./cursor/corpus.mjs";
import { root } from "./setup.mjs";

const MODELS = [
  ["Qwen2.5-Coder 0.5B", "samples-0.5b.jsonl.gz"],
  ["Qwen2.5-Coder 1.5B", "samples-1.5b.jsonl.gz"],
];
/** Lines of the suffix that a completion is given besides the true continuation. */
const LINES_BEHIND = 4;
/** Next lines of the document among which a repetition is looked for. */
const LINES_BELOW = 3;

const all = positions();
const byId = new Map(all.map((one) => [one.id, one]));
const rows = [];
for (const tree of process.argv[2] === undefined ? [root] : [process.argv[2], root]) {
  rows.push({ tree: tree === root ? "this tree" : tree, ...(await measure(await loadAssembly(tree))) });
}
print(rows);
process.exit(0);

async function measure({ assemble, runtime }) {
  const kept = { alone: {}, followed: {} };
  let failures = 0;
  for (const one of all) {
    const behind = one.suffix.split("\n").slice(0, LINES_BEHIND).join("\n");
    for (const [name, completion] of [
      ["alone", one.middle],
      ["followed", one.middle + behind],
    ]) {
      const { insert, valid, reason } = await assemble({ ...one, completion });
      const same = valid && sameText(insert, one);
      for (const key of ["all", one.language, one.kind]) count(kept[name], key, same);
      if (!same && name === "alone" && failures < Number(process.env.SHOW ?? 0)) {
        failures += 1;
        console.log(`${one.id} ${one.kind} ${reason ?? ""}\n${one.prefix.slice(-200)}█${one.middle}█`);
        console.log(`→ ${JSON.stringify(insert)}\n`);
      }
    }
  }
  const models = [];
  for (const [model, file] of MODELS) {
    const path = join(FIXTURES, file);
    if (existsSync(path)) models.push({ model, ...(await measureSamples(rowsOf(path), assemble, runtime)) });
  }
  return { kept, models };
}

async function measureSamples(samples, assemble, runtime) {
  const found = { samples: 0, shown: 0, parses: 0, repeats: 0, leaves: 0, indentation: 0 };
  for (const { id, text } of samples) {
    const one = byId.get(id);
    if (one === undefined) throw new Error(`The corpus has no position ${id}: sample again.`);
    found.samples += 1;
    const { insert, valid } = await assemble({ ...one, completion: text });
    if (!valid) continue;
    found.shown += 1;
    found.parses += parses(one, insert, runtime) ? 1 : 0;
    found.repeats += repeats(one, insert) ? 1 : 0;
    found.leaves += leaves(one, insert) ? 1 : 0;
    found.indentation += reindented(text, insert) ? 1 : 0;
  }
  return found;
}

/** What was written, but for white space at its ends that a cursor's line does not need. */
function sameText(insert, { middle, prefix }) {
  const blank = /(?:^|\n)[ \t]*$/.test(prefix);
  const plain = (text) => (blank ? text.trim() : text.trimEnd().replace(/^(?:[ \t]*\n)+/, "\n"));
  return plain(insert) === plain(middle);
}

/** The document parses with the insertion; where its blocks are not closed, with some of their closers behind it. */
function parses({ language, kind, prefix, suffix }, insert, runtime) {
  const closers = kind === "unclosed" ? closersOf(prefix + insert) : [];
  for (let depth = 0; depth <= closers.length; depth++) {
    const closing = closers.slice(0, depth).map((closer) => `\n${closer}`);
    const tree = runtime.parse(language, `${prefix}${insert}${closing.join("")}${suffix}`);
    const clean = tree !== null && !tree.rootNode.hasError;
    tree?.delete();
    if (clean) return true;
  }
  return false;
}

/** What would close the brackets that are open at the end of a text, innermost first; strings are skipped roughly. */
function closersOf(text) {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`/g, "");
  const open = [];
  for (const character of code) {
    const at = "([{".indexOf(character);
    if (at >= 0) open.push(")]}"[at]);
    else if (open.at(-1) === character) open.pop();
  }
  return open.reverse();
}

/** The last line of the insertion is one of the next lines of the document, or ends with the rest of its own. */
function repeats({ suffix, kind }, insert) {
  const [rest = "", ...below] = suffix.split("\n");
  const solid = rest.trim();
  if (solid.length >= 2 && insert.trimEnd().endsWith(solid)) return true;
  const last = insert.trimEnd().split("\n").at(-1)?.trim() ?? "";
  if (kind === "unclosed" || !insert.includes("\n") || !/\w{2}/.test(last)) return false;
  const next = below.filter((line) => /\w{2}/.test(line)).slice(0, LINES_BELOW);
  return next.some((line) => line.trim() === last);
}

/** Inside brackets: the insertion closes one that it did not open. */
function leaves({ kind }, insert) {
  if (kind !== "brackets" && kind !== "literal") return false;
  let depth = 0;
  for (const character of insert.replace(/"[^"\n]*"|'[^'\n]*'|`[^`]*`/g, "")) {
    if ("([{".includes(character)) depth += 1;
    if (")]}".includes(character) && --depth < 0) return true;
  }
  return false;
}

/** The lines of the insertion are not all moved by the same number of columns. */
function reindented(text, insert) {
  const columns = (line) => /^\s*/.exec(line)[0].replaceAll("\t", "    ").length;
  const own = text.replaceAll("\r", "").split("\n");
  const moves = new Set();
  let from = 0;
  for (const [index, line] of insert.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = own.findIndex((one, place) => place >= from && one.trim() === line.trim());
    if (at < 0) continue;
    from = at + 1;
    // The first line's own indentation may be before the cursor.
    if (index > 0 && at > 0) moves.add(columns(line) - columns(own[at]));
  }
  return moves.size > 1;
}

function count(rates, key, good) {
  rates[key] ??= { good: 0, of: 0 };
  rates[key].of += 1;
  if (good) rates[key].good += 1;
}

function print(measured) {
  const keys = Object.keys(measured[0].kept.alone);
  const share = ({ good, of }) => (good / of).toFixed(3);
  console.log(`\nWhat the author wrote comes through unchanged (${all.length} positions):`);
  console.log(
    ["", "positions", ...measured.flatMap(({ tree }) => [tree, `${tree}, next lines behind`])].join(" | "),
  );
  for (const key of keys) {
    const cells = measured.flatMap(({ kept }) => [share(kept.alone[key]), share(kept.followed[key])]);
    console.log([key, measured[0].kept.alone[key].of, ...cells].join(" | "));
  }
  console.log("\nWhat models wrote, of all samples (shown) and of those shown (the rest):");
  console.log(
    "model | tree | samples | shown | parses | repeats what follows | leaves its brackets | lines moved apart",
  );
  for (const { tree, models } of measured) {
    for (const { model, samples, shown, ...of } of models) {
      const cells = [of.parses, of.repeats, of.leaves, of.indentation].map((one) => (one / shown).toFixed(3));
      console.log([model, tree, samples, (shown / samples).toFixed(3), ...cells].join(" | "));
    }
  }
}
