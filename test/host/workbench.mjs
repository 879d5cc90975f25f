// What a user does and sees in the workbench, through the browser.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PATIENCE_MS, workbenchUrl } from "./editor.mjs";

const GHOST = ".ghost-text-decoration, .ghost-text-decoration-preview, .ghost-text";

export class Workbench {
  constructor(page) {
    this.page = page;
  }

  /** Opens a workspace and one of its files. */
  static async open(context, editor, folder, file) {
    const page = context.pages()[0] ?? (await context.newPage());
    const bench = new Workbench(page);
    // A file in the address would be opened alone after every reload.
    await page.goto(workbenchUrl(editor, folder.workspace, []), { waitUntil: "domcontentloaded" });
    await page.locator(".monaco-workbench .part.statusbar").waitFor();
    await bench.openFile(nameOf(file));
    return bench;
  }

  /** Reloads the window as a user does: the editor keeps what was open. */
  async reload(file) {
    const loaded = this.page.waitForEvent("domcontentloaded");
    await this.command("Developer: Reload Window");
    await loaded;
    await this.ready(file);
  }

  async ready(file) {
    await this.page.locator(".monaco-workbench .part.statusbar").waitFor();
    await this.editor(file).locator(".view-line").first().waitFor();
  }

  /** The editor that shows a file. */
  editor(file) {
    return this.page.locator(`.monaco-editor[data-uri$="/${nameOf(file)}"]`).first();
  }

  /** Runs a command by its title in the palette. It is typed again while an extension has not registered it yet. */
  async command(title) {
    const row = this.page
      .locator(`.quick-input-list .monaco-list-row[aria-label^=${JSON.stringify(title)}]`)
      .first();
    await until(`the command “${title}” in the palette`, async () => {
      await this.page.keyboard.press("Escape");
      await this.page.keyboard.press("F1");
      await this.quickInput().fill(`>${title}`);
      return appears(row);
    });
    await row.click();
  }

  /**
   * Waits until our extension is active and the editor's own part for suggestions is there: both come some time after
   * the editor itself, and what is typed before asks nobody.
   */
  async readyToSuggest() {
    await this.command("CodeScaler: Show Status and Actions");
    await this.page
      .locator(".quick-input-list .monaco-list-row", { hasText: "Reward model" })
      .first()
      .waitFor();
    await this.page.keyboard.press("Escape");
    await this.quickInput().waitFor({ state: "hidden" });
    await this.command("Trigger Inline Suggestion");
  }

  quickInput() {
    return this.page.locator(".quick-input-widget:visible input[type=text]");
  }

  /** Opens a file of the workspace in the active group. */
  async openFile(name) {
    const row = this.page.locator(`.quick-input-list .monaco-list-row[aria-label^=${JSON.stringify(name)}]`);
    await until(`the file ${name} in the quick input`, async () => {
      await this.page.keyboard.press("Escape");
      await this.page.keyboard.press("Control+P");
      await this.quickInput().fill(name);
      return appears(row.first());
    });
    await row.first().click();
    await this.ready(name);
  }

  /** Puts the cursor at a line and a column, from 1. */
  async cursorTo(file, line, column) {
    await this.editor(file)
      .locator(".view-lines")
      .click({ position: { x: 5, y: 5 } });
    await this.page.keyboard.press("Control+G");
    await this.quickInput().fill(`:${line}:${column}`);
    await this.page.keyboard.press("Enter");
    await this.quickInput().waitFor({ state: "hidden" });
  }

  /** The ghost text that is seen; empty where there is none. */
  async ghost() {
    const parts = await this.page.locator(GHOST).allTextContents();
    return parts.join("").replaceAll("\u00a0", " ");
  }

  /** Waits for ghost text that satisfies the condition. @returns it */
  async ghostThat(what, condition) {
    let seen = "";
    await until(
      () => `${what}; seen last: ${JSON.stringify(seen)}`,
      async () => {
        seen = await this.ghost();
        return condition(seen);
      },
    );
    return seen;
  }

  /** Saves the active document and waits until the file is as expected. */
  async saved(file, text) {
    let found = "";
    await until(
      () => `${file} with ${JSON.stringify(text)}; found ${JSON.stringify(found)}`,
      async () => {
        await this.page.keyboard.press("Control+S");
        found = readFileSync(file, "utf8");
        return found === text;
      },
    );
  }

  /** The document inside the webview that is open. */
  webview() {
    return this.page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
  }

  async closeEditors() {
    await this.command("View: Close All Editors");
  }

  /** A picture of what went wrong, with what the editor said about it. */
  async shotWithNotifications(path) {
    await this.shot(path);
    await this.command("Notifications: Show Notifications");
    await this.shot(path);
  }

  async shot(path, clip) {
    await this.page.screenshot({ path, ...(clip && { clip }) });
  }
}

function nameOf(file) {
  return file.slice(file.lastIndexOf("/") + 1);
}

/** Whether an element comes within a moment. */
export async function appears(locator, ms = 3000) {
  return locator.waitFor({ timeout: ms }).then(
    () => true,
    () => false,
  );
}

/** Looks again until the condition holds. */
export async function until(what, condition) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not seen in time: ${typeof what === "function" ? what() : what}`);
    await sleep(100);
  }
}
