/**
 * What a body's JSON may cost, looked at before it is parsed: 30 MiB of opening brackets keep the event loop busy for
 * seconds and take a gigabyte.
 */

/** Deepest nesting of arrays and objects. The contract's bodies need five levels; tools of other clients have schemas. */
const MAX_DEPTH = 64;
/** Most arrays and objects: 2,048 items with 64 messages each are 135,000. */
const MAX_CONTAINERS = 200_000;
/** Most values in all: 2,048 items of 2,000 token ids each are four million. */
const MAX_VALUES = 5_000_000;

/**
 * Looks over JSON without parsing it, in linear time. What is no JSON is left to the parser.
 * @returns why it is not parsed; undefined when it may be
 */
export function tooCostly(json: string): string | undefined {
  let depth = 0;
  let containers = 0;
  let values = 1;
  for (let index = 0; index < json.length; index++) {
    switch (json.charCodeAt(index)) {
      case 0x22: // "
        index = endOfString(json, index + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        containers += 1;
        if (depth > MAX_DEPTH) return refused(`nested more than ${MAX_DEPTH} levels deep`);
        if (containers > MAX_CONTAINERS) return refused(`of more than ${MAX_CONTAINERS} arrays and objects`);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
        if (values > MAX_VALUES) return refused(`of more than ${MAX_VALUES} values`);
        break;
      default:
    }
  }
  return undefined;
}

/** Where the string ends that begins here; the end of the text where it does not. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf('"', from); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = at;
    while (escapes > from && json.charCodeAt(escapes - 1) === 0x5c) escapes -= 1;
    if ((at - escapes) % 2 === 0) return at;
  }
  return json.length;
}

function refused(what: string): string {
  return `The body is JSON ${what}. No request needs that.`;
}
