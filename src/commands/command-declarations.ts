/**
 * Every command of the palette, below `codescaler.`. `npm run manifest` writes package.json, package.nls.json and
 * docs/settings.md from this table; a handler for each is a matter of types (register-commands.ts).
 */

export interface CommandDeclaration {
  readonly title: string;
  /** One of the editor's own icons. */
  readonly icon?: string;
  /** When-clause of the editor: elsewhere the command is disabled, and hidden from the palette. */
  readonly enablement?: string;
  readonly keybinding?: { readonly key: string; readonly mac: string; readonly when: string };
  /** Where it is in the submenu of the editor's context menu, and when. */
  readonly editorMenu?: { readonly group: string; readonly when?: string };
}

export const COMMANDS = {
  suggest: {
    title: "Suggest the Best of N",
    icon: "$(sparkle)",
    enablement: "codescaler.supported && !editorReadonly",
    keybinding: {
      key: "ctrl+alt+enter",
      mac: "cmd+alt+enter",
      when: "editorTextFocus && !editorReadonly && !findWidgetVisible && codescaler.supported",
    },
    editorMenu: { group: "1_suggest@1" },
  },
  compare: {
    title: "Compare Candidates",
    icon: "$(list-ordered)",
    enablement: "codescaler.hasRanking",
    editorMenu: { group: "1_suggest@2", when: "codescaler.hasRanking" },
  },
  scoreSelection: {
    title: "Score Selection",
    enablement: "codescaler.supported && editorHasSelection",
    editorMenu: { group: "2_score@2", when: "editorHasSelection" },
  },
  scoreFunction: {
    title: "Score Function at Cursor",
    enablement: "codescaler.supported",
    editorMenu: { group: "2_score@1" },
  },
  scoreFile: {
    title: "Score Functions of This File",
    enablement: "codescaler.supported",
    editorMenu: { group: "2_score@4" },
  },
  compareClipboard: {
    title: "Compare Clipboard with Selection",
    enablement: "codescaler.supported && editorHasSelection",
    editorMenu: { group: "2_score@3", when: "editorHasSelection" },
  },
  compareDiff: { title: "Compare Both Sides of This Diff", enablement: "isInDiffEditor" },
  clearScores: {
    title: "Clear Scores in This File",
    enablement: "codescaler.hasScores",
    editorMenu: { group: "3_clear@1", when: "codescaler.hasScores" },
  },
  toggleAutomatic: { title: "Turn Automatic Suggestions On or Off" },
  toggleLanguage: {
    title: "Turn CodeScaler On or Off for This Language",
    enablement: "codescaler.supported",
  },
  trySample: { title: "Try It on a Recorded Sample" },
  addSource: { title: "Add a Source of Completions…" },
  setKey: { title: "Set API Key of a Source…" },
  chooseModel: { title: "Choose Reward Model…" },
  doctor: { title: "Doctor: What Models Run On, and Why" },
  cudaBuild: { title: "Add or Remove the CUDA Build…" },
  menu: { title: "Show Status and Actions" },
  why: { title: "Why Was Nothing Shown?" },
  statistics: { title: "Show Local Statistics" },
  eraseStatistics: { title: "Erase Local Statistics" },
  exportPreferences: { title: "Export Preference Pairs…" },
  otherProviders: { title: "Check for Other Completion Extensions" },
  showLog: { title: "Show Log" },
  serverOutput: { title: "Show Last Output of the Reward Server" },
  restartServer: { title: "Restart Reward Server" },
  stopServer: { title: "Stop Reward Server", enablement: "codescaler.serverRunning" },
  setServerToken: {
    title: "Set Access Token of Your Own Reward Server…",
    enablement: "config.codescaler.server.url != '' || config.codescaler.server.engines != '[]'",
  },
} as const satisfies Readonly<Record<string, CommandDeclaration>>;

/** Commands that only links and suggestions run: they are in no menu and not in package.json. */
export type InternalCommand = "accepted" | "useCandidate";

export type CommandName = keyof typeof COMMANDS | InternalCommand;
