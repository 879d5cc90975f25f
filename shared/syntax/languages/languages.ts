/** The languages of the product, and the names people and models use for them. */
export const LANGUAGES = [
  "python",
  "javascript",
  "typescript",
  "tsx",
  "java",
  "c",
  "cpp",
  "csharp",
  "go",
  "rust",
  "ruby",
  "php",
  "bash",
  "kotlin",
] as const;
/** The fourteen languages whose programs can be extracted and checked. */
export type Language = (typeof LANGUAGES)[number];

/** Languages as people write them. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  python: "Python",
  javascript: "JavaScript",
  typescript: "TypeScript",
  tsx: "TSX",
  java: "Java",
  c: "C",
  cpp: "C++",
  csharp: "C#",
  go: "Go",
  rust: "Rust",
  ruby: "Ruby",
  php: "PHP",
  bash: "Bash",
  kotlin: "Kotlin",
};

/** Other names under which people and models know a language, in lower case. */
export const LANGUAGE_ALIASES: Readonly<Record<string, Language>> = {
  py: "python",
  python3: "python",
  py3: "python",
  ipython: "python",
  js: "javascript",
  jsx: "javascript",
  javascriptreact: "javascript",
  node: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  ts: "typescript",
  mts: "typescript",
  cts: "typescript",
  typescriptreact: "tsx",
  h: "c",
  "c++": "cpp",
  cxx: "cpp",
  cc: "cpp",
  hpp: "cpp",
  "c#": "csharp",
  cs: "csharp",
  "c-sharp": "csharp",
  golang: "go",
  rs: "rust",
  rb: "ruby",
  sh: "bash",
  shell: "bash",
  shellscript: "bash",
  zsh: "bash",
  kt: "kotlin",
  kts: "kotlin",
};

/** The language that a name or alias stands for, whatever its case; undefined when it is none of ours. */
export function languageOf(name: string): Language | undefined {
  const key = name.trim().toLowerCase();
  const direct = LANGUAGES.find((language) => language === key);
  return direct ?? (Object.hasOwn(LANGUAGE_ALIASES, key) ? LANGUAGE_ALIASES[key] : undefined);
}
