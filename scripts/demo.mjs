// `npm run demo`: from a fresh clone to real completions ranked by a real model, in one command.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, setup } from "./setup.mjs";

setup();
run(process.execPath, [join(root, "scripts", "build.mjs")]);

const server = join(root, "dist", "server.js");
const folder = join(root, "demo");
const problems = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
let firstIsRight = 0;
for (const { name } of problems) {
  const about = JSON.parse(readFileSync(join(folder, name, "about.json"), "utf8"));
  const replies = readdirSync(join(folder, name)).filter(
    (file) => file.endsWith(".md") && file !== "task.md",
  );
  console.log(`\n${about.title} (${about.language}), ${replies.length} completions`);
  const args = [server, "rank", "--task", "task.md", "--language", about.language, ...replies];
  const table = execFileSync(process.execPath, args, {
    cwd: join(folder, name),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  console.log(table.trimEnd());
  const best = replies.find((reply) => table.split("\n")[1]?.includes(` ${reply} `));
  const right = about.right.includes(best);
  if (right) firstIsRight++;
  console.log(
    `${best} ${right ? "is right" : "is wrong: the model was mistaken"} (known to the demo, not to the model).`,
  );
}
console.log(`\nA right program came first in ${firstIsRight} of ${problems.length} problems.`);
