// What a user does and sees in the workbench, through the browser.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { PATIENCE_MS, remoteUri, workbenchUrl } from "./editor.mjs";

const GHOST = ".ghost-text-decoration, .ghost-text-decoration-preview, .ghost-text";

export class Workbench {
  #plainUrl;

  constructor(page, plainUrl) {
    this.page = page;
    this.#plainUrl = plainUrl;
  }

  /** Opens a workspace with one of its files in the editor. */
  static async open(context, editor, folder, file) {
    const page = context.pages()[0] ?? (await context.newPage());
    const bench = new Workbench(page, workbenchUrl(editor, folder.workspace, []));
    await page.goto(workbenchUrl(editor, folder.workspace, [["openFile", remoteUri(editor, file)]]), {
      waitUntil: "domcontentloaded",
    });
    await bench.ready(file);
    return bench;
  }

  /** Loads the window anew, as it was: with a file in its address the editor would open that alone. */
  async reload(file) {
    await this.page.goto(this.#plainUrl, { waitUntil: "domcontentloaded" });
    await this.ready(file);
  }

  async ready(file) {
    await this.page.locator(".monaco-workbench .part.statusbar").waitFor();
    await this.editor(file).locator(".view-line").first().waitFor();
  }

  /** The editor that shows a file. */
  editor(file) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    return this.page.locator(`.monaco-editor[data-uri$="/${name}"]`).first();
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

  quickInput() {
    return this.page.locator(".quick-input-widget:visible input[type=text]");
  }

  /** Opens a file of the workspace in the active group. */
  async openFile(name) {
    await this.page.keyboard.press("Control+P");
    await this.quickInput().fill(name);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().waitFor();
    await this.page.keyboard.press("Enter");
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

  async shot(path, clip) {
    await this.page.screenshot({ path, ...(clip && { clip }) });
  }
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
