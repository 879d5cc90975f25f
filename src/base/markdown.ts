/** Text of others in Markdown that we trust with commands: nothing in it may become markup. Pure. */

/**
 * Characters that change the direction of text, or cannot be seen: code may look like something else with them
 * (CVE-2021-42574). They are shown by their code points.
 */
const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** What joins emoji into one is seen as that. */
const JOINED_EMOJI = /(?<=\p{Extended_Pictographic}\ufe0f?)\u200d(?=\p{Extended_Pictographic})/gu;

/** The code points, like "U+202E", of the characters in code that cannot be seen or turn its direction; each once. */
export function hiddenCharacters(code: string): string[] {
  const found = code.replace(JOINED_EMOJI, "").match(INVISIBLE) ?? [];
  return [...new Set(found)].map(codePointOf);
}

function codePointOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Makes direction controls and invisible characters visible: U+202E becomes ⟦U+202E⟧. */
export function withVisibleControls(text: string): string {
  return text.replace(INVISIBLE, (character) => `⟦${codePointOf(character)}⟧`);
}

/** Text that shows as itself inside a paragraph, on one line. */
export function escaped(text: string): string {
  return withVisibleControls(text.replace(/[\t\r\n]+/g, " "))
    .replace(/[\\`*_{}[\]()#+\-.!|~>$:@]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
}

/** A fenced block that the text cannot end: its fence is longer than any in it. */
export function fenced(code: string, language: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  // A name of a language is one word; anything else could begin markup of its own.
  const tag = /^[\w+#-]{0,32}$/.test(language) ? language : "";
  return `${fence}${tag}\n${withVisibleControls(code.replace(/\r\n?/g, "\n"))}\n${fence}`;
}

/** A link that runs a command. The title must be our own text. */
export function commandLink(title: string, command: string, args: readonly unknown[]): string {
  const query =
    args.length === 0 ? "" : `?${encodeURIComponent(JSON.stringify(args)).replace(/[()']/g, percent)}`;
  return `[${title}](command:${command}${query})`;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
