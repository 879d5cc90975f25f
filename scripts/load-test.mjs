// What a training run does to the reward server: steps of many samples, strictly extracted, and an editor asking in between.
// `node scripts/load-test.mjs [--samples 2048] [--steps 20] [--group 8] [--model nano] [--threads 1] [--json]`
// Starts dist/server.js (or --server FILE). Fails when an answer is lost, doubled, not finite, or about another sample.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { root } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    samples: { type: "string", default: "2048" },
    steps: { type: "string", default: "20" },
    group: { type: "string", default: "8" },
    model: { type: "string", default: "nano" },
    threads: { type: "string", default: "1" },
    server: { type: "string", default: join(root, "dist", "server.js") },
    json: { type: "boolean", default: false },
  },
});
const SAMPLES = Number(values.samples);
const STEPS = Number(values.steps);
const GROUP = Number(values.group);
/** Requests in flight, as the trainers' client has (training/rewards/codescaler_rewards/reward_client.py). */
const IN_FLIGHT = 8;
/** Every fifth reply holds no valid program. */
const INVALID_EVERY = 5;
/** How long the editor of this test thinks between two requests. */
const EDITOR_PAUSE_MS = 500;
/** Samples of each step that are scored once more, alone and by the other route. */
const CHECKED = 8;
const TOLERANCE = 1e-3;

const TOKEN = "load-test";
const agent = new Agent({ keepAlive: true });

function call(url, path, body) {
  const payload = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      ...(payload && { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
    };
    const sent = request(
      new URL(path, url),
      { method: payload ? "POST" : "GET", headers, agent },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => {
          text += part;
        });
        response.on("end", () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${path} answered ${response.statusCode}: ${text}`));
        });
      },
    );
    sent.on("error", reject);
    sent.end(payload);
  });
}

/** Programs of about a hundred tokens, different for every sample of every step, as a policy's samples are. */
function codeOf(step, index) {
  const problem = Math.floor(index / GROUP);
  const changed = (step * SAMPLES + index) % 997;
  return [
    `def running_total_${problem}(values, limit=${changed}):`,
    "    total = 0",
    "    kept = []",
    "    for position, value in enumerate(values):",
    `        if value ${["<", "<=", ">", ">=", "=="][index % 5]} limit and position % ${1 + (index % 7)} == 0:`,
    `            total ${["+=", "-=", "*="][index % 3]} value`,
    "            kept.append(total)",
    `    return kept[${index % 4}:] if total ${["<", ">"][index % 2]} ${step + index} else [total]`,
  ].join("\n");
}

function stepOf(step) {
  return Array.from({ length: SAMPLES / GROUP }, (_, problem) => ({
    question: `Problem ${step}.${problem}: write running_total_${problem}, which returns the running totals of the values that are within the limit.`,
    indices: Array.from({ length: GROUP }, (_, member) => problem * GROUP + member),
  }));
}

function replyOf(step, index) {
  const code = codeOf(step, index);
  if (index % INVALID_EVERY === 0)
    return index % 2 === 0 ? "I cannot solve this." : `\`\`\`python\n${code}(\n\`\`\``;
  return `Let me think about it.\n\n\`\`\`python\n${code}\n\`\`\`\n\nThis keeps a running total.`;
}

/** Rewards by index; throws where the answers are not exactly the samples. */
async function runStep(url, step) {
  const rewards = new Array(SAMPLES).fill(undefined);
  const waiting = stepOf(step);
  let tokens = 0;
  const work = async () => {
    for (let group = waiting.pop(); group; group = waiting.pop()) {
      const { question, indices } = group;
      const reply = await call(url, "/v1/rank", {
        task: { question, language: "python" },
        candidates: indices.map((index) => ({ id: String(index), text: replyOf(step, index) })),
        mode: "strict",
        priority: "bulk",
        model: values.model,
      });
      tokens += reply.usage.unique_tokens;
      for (const candidate of reply.candidates) {
        for (const id of [candidate.id, ...candidate.duplicates]) {
          const index = Number(id);
          if (!indices.includes(index)) throw new Error(`Sample ${id} was not asked for.`);
          if (rewards[index] !== undefined) throw new Error(`Sample ${id} was answered twice.`);
          if (!Number.isFinite(candidate.shaped))
            throw new Error(`Sample ${id} has the reward ${candidate.shaped}.`);
          if (candidate.valid === (index % INVALID_EVERY === 0))
            throw new Error(`Sample ${id} was judged wrongly.`);
          rewards[index] = candidate.shaped;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  const lost = rewards.filter((reward) => reward === undefined).length;
  if (lost > 0) throw new Error(`${lost} samples of step ${step} have no answer.`);
  return { rewards, tokens };
}

/** Some samples of the step alone: the same rewards, at the same places. */
async function checkOrder(url, step, rewards) {
  const indices = Array.from(
    { length: CHECKED },
    (_, i) => Math.floor((i * SAMPLES) / CHECKED) + 1 + (step % 3),
  ).filter((index) => index < SAMPLES && index % INVALID_EVERY !== 0);
  const groups = stepOf(step);
  const { rewards: logits } = await call(url, "/v1/score", {
    model: values.model,
    items: indices.map((index) => ({
      messages: [
        { role: "user", content: groups[Math.floor(index / GROUP)].question },
        { role: "assistant", content: codeOf(step, index) },
      ],
    })),
  });
  indices.forEach((index, i) => {
    const expected = Math.max(logits[i], 0) + Math.log1p(Math.exp(-Math.abs(logits[i])));
    if (Math.abs(expected - rewards[index]) > TOLERANCE) {
      throw new Error(`Sample ${index} of step ${step} has the reward ${rewards[index]}, alone ${expected}.`);
    }
  });
}

/** An editor beside the trainer: small interactive requests and looks at /health until it is told to stop. */
function watch(url) {
  const latencies = { interactive: [], health: [] };
  let stopped = false;
  let number = 0;
  const timed = async (kind, path, body) => {
    const started = performance.now();
    await call(url, path, body);
    latencies[kind].push(performance.now() - started);
  };
  const done = (async () => {
    while (!stopped) {
      number += 1;
      await timed("interactive", "/v1/rank", {
        task: { prefix: `def twice_${number}(a):\n    `, suffix: "\n", language: "python" },
        candidates: ["return a + a", "return 2 * a", "return a"].map((text, i) => ({ id: String(i), text })),
        model: values.model,
      });
      await timed("health", "/health");
      await new Promise((resolve) => setTimeout(resolve, EDITOR_PAUSE_MS));
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await done;
      return latencies;
    },
  };
}

/** Resident memory of a process in MiB; undefined where /proc does not tell. */
function residentMiB(pid) {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
  } catch {
    return undefined;
  }
}

/** Hundredths of a second, the unit of processor times in /proc: Linux reports them so on every architecture. */
const TICK_MS = 10;

/** Processor time that a process took so far, in ms, all its threads together; undefined where /proc does not tell. */
function processorMs(pid) {
  try {
    // The program's name stands in brackets before, and may hold spaces: user and system time are 12th and 13th after.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}

function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
}

const child = spawn(
  process.execPath,
  [
    values.server,
    "serve",
    "--device",
    "cpu",
    "--model",
    values.model,
    "--threads",
    values.threads,
    "--exit-with-stdin",
  ],
  {
    env: { ...process.env, CODESCALER_TOKEN: TOKEN, CODESCALER_LOG_LEVEL: "error" },
    stdio: ["pipe", "pipe", "inherit"],
  },
);
try {
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { url } = JSON.parse(line);
  const steps = [];
  const editor = watch(url);
  for (let step = 0; step < STEPS; step++) {
    const started = performance.now();
    const startedCpu = processorMs(child.pid);
    const own = process.cpuUsage();
    const { rewards, tokens } = await runStep(url, step);
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(own);
    const perSample = (ms) => Math.round((ms / SAMPLES) * 100) / 100;
    await checkOrder(url, step, rewards);
    const figures = {
      step,
      seconds: Math.round(seconds * 10) / 10,
      samples_per_s: Math.round(SAMPLES / seconds),
      tokens_per_s: Math.round(tokens / seconds),
      tokens_per_sample: Math.round((tokens / SAMPLES) * 10) / 10,
      // On a shared machine these say what the rates do not; the editor's part is in the server's.
      server_cpu_ms_per_sample:
        startedCpu === undefined ? undefined : perSample(processorMs(child.pid) - startedCpu),
      client_cpu_ms_per_sample: perSample((user + system) / 1000),
      rss_mib: residentMiB(child.pid),
    };
    steps.push(figures);
    if (!values.json) console.log(JSON.stringify(figures));
  }
  const { interactive, health } = await editor.stop();
  const summary = {
    samples: SAMPLES * STEPS,
    lost: 0,
    seconds: Math.round(steps.reduce((sum, { seconds }) => sum + seconds, 0)),
    interactive_ms: {
      median: quantile(interactive, 0.5),
      p95: quantile(interactive, 0.95),
      most: quantile(interactive, 1),
    },
    health_ms: { median: quantile(health, 0.5), p95: quantile(health, 0.95), most: quantile(health, 1) },
    editor_requests: interactive.length,
  };
  console.log(JSON.stringify(values.json ? { ...summary, steps } : summary));
} finally {
  agent.destroy();
  child.stdin.end();
}
