/** What the tag of a fenced block says about its content. */
import { type Language, languageOf } from "../languages/languages.ts";

/** Tags that name what else a block holds, or a language that is none of ours. */
const NOT_CODE: ReadonlySet<string> = new Set(
  (
    "text txt plain plaintext output out console terminal log stdout stdin input traceback error none " +
    "json yaml yml toml xml html css scss csv ini sql diff markdown md mermaid latex tex math dockerfile makefile " +
    "swift haskell hs scala perl lua r julia dart elixir clojure ocaml fsharp f# matlab powershell ps1 groovy zig nim " +
    "solidity prolog lisp scheme erlang fortran cobol pascal asm assembly vb vbnet objective-c objc vue svelte"
  ).split(" "),
);

/** What the info string of a fence says about the block. */
export interface Tag {
  /** The language's name as written, in lower case; empty when there is none. */
  readonly name: string;
  /** One of our languages; undefined for every other tag. */
  readonly language: Language | undefined;
  /** It says that this is no program of ours: output, data, text, another language. */
  readonly notCode: boolean;
}

/** Reads an info string: `python title="x"`, `c++`, `{.python .numberLines}`, `language-js`, `python:main.py`. */
export function tagOf(info: string): Tag {
  const words = info
    .replace(/^\{\s*|\}\s*$/g, "")
    .trim()
    .split(/[\s,;:={}]+/);
  const first = words[0] === "lang" || words[0] === "language" ? words[1] : words[0];
  const name = (first ?? "").replace(/^\.|^language-|^lang-/i, "").toLowerCase();
  return { name, language: languageOf(name), notCode: NOT_CODE.has(name) };
}
