/** Documents that people write code in, by the editor's own names. package.json is generated from this. Pure. */
import { identityOf, LANGUAGES } from "../../shared/syntax/languages/languages.ts";

/** Not `**`: that would match chat inputs and output panes too. */
export const SCHEMES = ["file", "untitled", "vscode-remote", "vscode-notebook-cell", "vscode-vfs"] as const;

/** The editor's names of our languages. */
export const EDITOR_LANGUAGES = LANGUAGES.flatMap((language) => identityOf(language).editorIds);
