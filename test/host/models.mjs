// A copy of a reward model whose head, linear and matching part have the other sign: whatever it ranks comes out the other way round.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** GGUF's numbers for the types of values. */
const FLOAT32 = 6;
const ARRAY = 9;
/** Values of the header that the reward is proportional to; see server/models/gguf/keys.ts. */
const SIGNED_KEYS = [
  "codescaler.head.weight",
  "codescaler.head.bias",
  "codescaler.ngram.coefficient",
  "codescaler.matching.coefficient",
];

/** SHA-256 over the file, with zeros in its own place. */
const CHECKSUM_KEY = "codescaler.sha256";

/** Writes the reversed copy of a GGUF file. */
export function writeReversed(from, to) {
  const file = readFileSync(from);
  for (const key of SIGNED_KEYS) {
    const at = placeOf(file, key);
    if (at !== undefined) negate(file, at, key);
  }
  sign(file);
  writeFileSync(to, file);
}

/** Where the value of a key begins: with the number of its type. */
function placeOf(file, key) {
  const name = Buffer.from(key);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(name.length));
  const at = file.indexOf(Buffer.concat([length, name]));
  return at < 0 ? undefined : at + length.length + name.length;
}

/** Gives the changed file its own checksum: one that does not match is refused. */
function sign(file) {
  const at = placeOf(file, CHECKSUM_KEY);
  if (at === undefined) return;
  // The type and the length of the text come first.
  const text = file.subarray(at + 12, at + 12 + 64);
  text.fill("0");
  text.write(createHash("sha256").update(file).digest("hex"));
}

/** Negates the value at an offset: a float, or an array of floats. */
function negate(file, offset, key) {
  const type = file.readUInt32LE(offset);
  if (type === FLOAT32) {
    file.writeFloatLE(-file.readFloatLE(offset + 4), offset + 4);
    return;
  }
  if (type !== ARRAY || file.readUInt32LE(offset + 4) !== FLOAT32) {
    throw new Error(`${key} is no float and no array of floats.`);
  }
  const count = Number(file.readBigUInt64LE(offset + 8));
  for (let index = 0; index < count; index++) {
    const place = offset + 16 + 4 * index;
    file.writeFloatLE(-file.readFloatLE(place), place);
  }
}
