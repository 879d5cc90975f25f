/**
 * Loaded before the built command line by a script of two lines (world.ts); lets one process fail at one named step. The built program
 * has no failpoints of its own: what it calls of Node and of the native library is wrapped here, from outside, because
 * no look at files or logs is quick enough to meet a process between two system calls.
 *
 * `CHAOS_FOLDER/armed` holds {"step", "action", "nth"}. The process that gets to the step takes the file, writes a line
 * to `CHAOS_FOLDER/fired`, and does what the action says.
 */
"use strict";
const fs = require("node:fs");
const promises = require("node:fs/promises");
const http = require("node:http");
const { basename, join } = require("node:path");

const folder = process.env.CHAOS_FOLDER;
const armedFile = join(folder, "armed");
/** Steps passed since they were armed. */
let passed = { id: "", times: 0 };

/** The action that is due at this step; undefined at all other times. */
function due(step) {
  let armed;
  try {
    armed = JSON.parse(fs.readFileSync(armedFile, "utf8"));
  } catch {
    return undefined;
  }
  if (armed.step !== step) return undefined;
  passed = { id: armed.id, times: passed.id === armed.id ? passed.times + 1 : 1 };
  if (passed.times < armed.nth) return undefined;
  try {
    // Only one process can take it.
    fs.renameSync(armedFile, join(folder, `taken.${process.pid}`));
  } catch {
    return undefined;
  }
  fs.appendFileSync(join(folder, "fired"), `${JSON.stringify({ ...armed, pid: process.pid })}\n`);
  return armed.action;
}

const SIGNALS = { kill: "SIGKILL", term: "SIGTERM", stop: "SIGSTOP", hang: "SIGSTOP" };

function reach(step) {
  const action = due(step);
  if (action in SIGNALS) process.kill(process.pid, SIGNALS[action]);
}

const { open, rename } = promises;
promises.open = async (path, flags, ...rest) => {
  const file = await open(path, flags, ...rest);
  const name = basename(String(path));
  // The lock is there, and nobody's yet.
  if (/^server-v\d+\.lock$/.test(name) && flags === "wx") reach("lease lock");
  if (/^server-v\d+\.json\.\d+$/.test(name)) reach("lease write");
  const step = name.endsWith(".part") ? "download" : name.endsWith(".partial") ? "convert" : undefined;
  if (step !== undefined) {
    const write = file.write;
    file.write = (...values) => {
      reach(step);
      return write.apply(file, values);
    };
  }
  return file;
};
promises.rename = async (from, to) => {
  const name = basename(String(to));
  const step = /^server-v\d+\.json$/.test(name)
    ? "lease rename"
    : String(from).endsWith(".part")
      ? "download rename"
      : String(from).endsWith(".partial") && name.endsWith(".gguf")
        ? "install rename"
        : undefined;
  if (step !== undefined) reach(`${step}, before`);
  await rename(from, to);
  if (step !== undefined) reach(`${step}, after`);
};

const { end } = http.ServerResponse.prototype;
http.ServerResponse.prototype.end = function (body, ...rest) {
  const path = this.req?.url ?? "";
  if (path.startsWith("/v1/challenge")) reach("proof");
  if (!path.startsWith("/v1/rank") || body === undefined || this.statusCode !== 200) {
    return end.call(this, body, ...rest);
  }
  const action = due("reply");
  if (action in SIGNALS) process.kill(process.pid, SIGNALS[action]);
  if (action === undefined || action in SIGNALS) return end.call(this, body, ...rest);
  const bytes = Buffer.from(body);
  this.write(bytes.subarray(0, bytes.length >> 1), () => {
    if (action === "half") process.kill(process.pid, "SIGKILL");
    else this.socket?.resetAndDestroy();
  });
  return this;
};

const Module = require("node:module");
const original = Module.prototype.require;
let wrapped = false;
Module.prototype.require = function (id) {
  const loaded = original.call(this, id);
  if (id === "koffi" && !wrapped) {
    wrapped = true;
    wrap(loaded);
  }
  return loaded;
};

/** Native calls on worker threads: the step is reached while the call runs. */
const NATIVE = { llama_model_load_from_file: "model load", llama_decode: "decode" };
function wrap(koffi) {
  const load = koffi.load;
  koffi.load = (...values) => {
    const library = load(...values);
    // Neither libraries nor functions can be changed: others stand before them.
    const func = (...prototype) => {
      const native = library.func(...prototype);
      const name = Object.keys(NATIVE).find((one) => String(prototype[0]).includes(`${one}(`));
      if (name === undefined) return native;
      const before = (...given) => native(...given);
      before.async = (...given) => {
        native.async(...given);
        setImmediate(reach, NATIVE[name]);
      };
      return before;
    };
    return Object.create(library, { func: { value: func } });
  };
}

if (process.argv.includes("--shared")) reach("spawn");
