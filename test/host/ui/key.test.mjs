// A source that wants a key: what is said without one, and that it works as soon as the key is set.
import { after, before } from "node:test";
import { openSession, scenario } from "./session.mjs";

let session;
let bench;

before(async () => {
  session = await openSession({
    name: "add.py",
    text: 'def add(a, b):\n    """Returns the sum of a and b."""\n    \n',
    completions: [{ text: "return a + b" }],
    key: "a-key-for-this-test",
    settings: { "codescaler.automatic.enable": false },
  });
  bench = session.bench;
});
after(() => session?.close());

async function suggest() {
  await bench.cursorTo(session.file, 3, 5);
  await bench.command("CodeScaler: Suggest the Best of N");
}

scenario(
  "without its key the source says what to do, and with it the next request works",
  () => session,
  async () => {
    await suggest();
    const said = bench.page.locator(".notification-toast", { hasText: "does not accept the API key" });
    await said.first().waitFor();
    await bench.command("CodeScaler: Set API Key of a Source");
    await bench.page.locator(".quick-input-list .monaco-list-row", { hasText: "coder" }).first().click();
    const input = bench.page.locator(".quick-input-widget:visible input[type=password]");
    await input.fill("a-key-for-this-test");
    await input.press("Enter");
    await input.waitFor({ state: "hidden" });
    await suggest();
    await bench.ghostThat("ghost text", (ghost) => ghost === "return a + b");
  },
);
