/** Names that package.json has to say too: commands, languages, schemes. A test compares both. */
import { identityOf, LANGUAGES } from "../../shared/syntax/languages/languages.ts";

/** Commands of the palette, below `codescaler.`. */
export const COMMANDS = [
  "suggest",
  "compare",
  "scoreSelection",
  "scoreFunction",
  "scoreFile",
  "compareClipboard",
  "compareDiff",
  "clearScores",
  "toggleAutomatic",
  "toggleLanguage",
  "trySample",
  "addSource",
  "setKey",
  "chooseModel",
  "doctor",
  "cudaBuild",
  "menu",
  "why",
  "statistics",
  "eraseStatistics",
  "exportPreferences",
  "otherProviders",
  "showLog",
  "serverOutput",
  "restartServer",
  "stopServer",
  "setServerToken",
] as const;

/** Commands that only links and suggestions run; not in package.json. */
export const INTERNAL_COMMANDS = ["accepted", "useCandidate"] as const;

export type CommandName = (typeof COMMANDS)[number] | (typeof INTERNAL_COMMANDS)[number];

/** Documents that people write code in. Not `**`: that would match chat inputs and output panes too. */
export const SCHEMES = ["file", "untitled", "vscode-remote", "vscode-notebook-cell", "vscode-vfs"] as const;

/** The editor's own names of our languages. */
export const EDITOR_LANGUAGES = LANGUAGES.flatMap((language) => identityOf(language).editorIds);
