// What N samples cost beside one: `npm run bench:writer -- WRITER.gguf [N] [TOKENS] [PROMPT_TOKENS] [LLAMA_SERVER_URL]`
// after a build. One server process writes; N = 1 and N samples take turns, with a prompt that is new and one that is
// cached; a llama-server with the same file is asked for the same in the same run, where its address is given.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "./setup.mjs";

const [writer, n = "8", tokens = "48", promptTokens = "600", llamaServer] = process.argv.slice(2);
if (writer === undefined) {
  console.error("Usage: npm run bench:writer -- WRITER.gguf [N] [TOKENS] [PROMPT_TOKENS] [LLAMA_SERVER_URL]");
  process.exit(2);
}
const N = Number(n);
const TOKENS = Number(tokens);
const ROUNDS = 3;

const server = spawn(
  process.execPath,
  [join(root, "dist", "server.js"), "serve", "--device", "cpu", "--writer", writer, "--model", writer],
  { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, CODESCALER_TOKEN: "bench" } },
);
const [line] = await once(createInterface({ input: server.stdout }), "line");
const { url, pid } = JSON.parse(line);

/** Lines of code that no sample ends early in; another prompt for each number. About ten tokens a line. */
const promptOf = (number) =>
  `# table ${number}\ntable = {\n${Array.from({ length: Math.round(Number(promptTokens) / 10) }, (_, index) => `    "key_${index}": ${(index * 7919) % 997},\n`).join("")}`;

async function ask(address, body) {
  const started = performance.now();
  const reply = await fetch(new URL(body.path, address), {
    method: "POST",
    headers: { authorization: "Bearer bench", "content-type": "application/json" },
    body: JSON.stringify(body.json),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(text);
  return { seconds: (performance.now() - started) / 1000, reply: JSON.parse(text) };
}

/** A question, so that no syntax ends a sample: all are as long as they may be, but for those the model ends. */
async function write(number, count) {
  const task = { question: promptOf(number) };
  const json = { task, n: count, max_tokens: TOKENS, seed: number, temperature: 0.8 };
  return ask(url, { path: "/v1/complete", json });
}

async function elsewhere(number, count) {
  const messages = [{ role: "user", content: promptOf(number) }];
  const json = { messages, n: count, max_tokens: TOKENS, seed: number, temperature: 0.8, top_p: 0.95 };
  return ask(llamaServer, { path: "/v1/chat/completions", json });
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const times = new Map();
const note = (name, seconds) => times.set(name, [...(times.get(name) ?? []), seconds]);
let distinct = 0;
await write(0, 1);
for (let round = 1; round <= ROUNDS; round++) {
  for (const count of round % 2 ? [1, N] : [N, 1]) {
    const number = 100 * round + count;
    note(`N = ${count}, new prompt`, (await write(number, count)).seconds);
    const { seconds, reply } = await write(number, count);
    note(`N = ${count}, cached prompt`, seconds);
    note(`N = ${count}, tokens/s`, reply.usage.completion_tokens / (reply.timings.sample_ms / 1000));
    if (count === N) distinct += new Set(reply.completions.map(({ text }) => text)).size / ROUNDS;
    if (llamaServer) note(`llama-server, N = ${count}, new prompt`, (await elsewhere(number, count)).seconds);
    if (llamaServer)
      note(`llama-server, N = ${count}, cached prompt`, (await elsewhere(number, count)).seconds);
  }
}
for (const [name, values] of times) console.log(`${median(values).toFixed(2).padStart(9)}  ${name}`);
const ratio = (a, b) => (median(times.get(a)) / median(times.get(b))).toFixed(2);
console.log(`N = ${N} : N = 1, cached prompt: ${ratio(`N = ${N}, cached prompt`, "N = 1, cached prompt")}`);
console.log(`N = ${N} : N = 1, new prompt: ${ratio(`N = ${N}, new prompt`, "N = 1, new prompt")}`);
console.log(`different samples of ${N}: ${distinct.toFixed(1)}`);
const status = readFileSync(`/proc/${pid}/status`, "utf8");
console.log(
  `memory of the server with writer and judge on one file: ${/VmRSS:\s+(\d+)/.exec(status)?.[1] / 1024} MiB`,
);
server.kill();
