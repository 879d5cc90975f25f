/** The registry: every language of the product, by its name. Another one is a file beside this one and its lines here. */
import * as bash from "./bash.ts";
import * as c from "./c.ts";
import * as cpp from "./cpp.ts";
import * as csharp from "./csharp.ts";
import * as go from "./go.ts";
import * as java from "./java.ts";
import * as javascript from "./javascript.ts";
import * as kotlin from "./kotlin.ts";
import type { LanguageIdentity, LanguageSyntax } from "./language.ts";
import * as php from "./php.ts";
import * as python from "./python.ts";
import * as ruby from "./ruby.ts";
import * as rust from "./rust.ts";
import * as typescript from "./typescript.ts";

/** What the extension needs at its start. */
const IDENTITIES = {
  python: python.identity,
  javascript: javascript.identity,
  typescript: typescript.identity,
  tsx: typescript.tsxIdentity,
  java: java.identity,
  c: c.identity,
  cpp: cpp.identity,
  csharp: csharp.identity,
  go: go.identity,
  rust: rust.identity,
  ruby: ruby.identity,
  php: php.identity,
  bash: bash.identity,
  kotlin: kotlin.identity,
} as const satisfies Readonly<Record<string, LanguageIdentity>>;

/** A language whose programs can be extracted and checked. */
export type Language = keyof typeof IDENTITIES;

/** What only those need who parse: the bundler leaves it out elsewhere. */
export const SYNTAX: Readonly<Record<Language, LanguageSyntax>> = {
  python: python.syntax,
  javascript: javascript.syntax,
  typescript: typescript.syntax,
  tsx: typescript.tsxSyntax,
  java: java.syntax,
  c: c.syntax,
  cpp: cpp.syntax,
  csharp: csharp.syntax,
  go: go.syntax,
  rust: rust.syntax,
  ruby: ruby.syntax,
  php: php.syntax,
  bash: bash.syntax,
  kotlin: kotlin.syntax,
};

/** All languages, in the order in which people are shown them. */
export const LANGUAGES = Object.keys(IDENTITIES).filter((name) => isLanguage(name));

/** Names, identity and everything else of one language. */
export function identityOf(language: Language): LanguageIdentity {
  return IDENTITIES[language];
}

function isLanguage(name: string): name is Language {
  return Object.hasOwn(IDENTITIES, name);
}

/** Languages by every name of theirs, in lower case. */
const BY_NAME: ReadonlyMap<string, Language> = new Map(
  LANGUAGES.flatMap((language) => {
    const { aliases, extensions, editorIds } = IDENTITIES[language];
    return [language, ...aliases, ...extensions, ...editorIds].map((name): [string, Language] => [
      name,
      language,
    ]);
  }),
);

/** The language that a name or alias means, whatever its case; undefined when it is none of ours. */
export function languageOf(name: string): Language | undefined {
  return BY_NAME.get(name.trim().toLowerCase());
}
