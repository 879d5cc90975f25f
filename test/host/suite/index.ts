/** Entry of the suite that runs inside the extension host: code-server here, `@vscode/test-electron` elsewhere. */
import Mocha, { type Runner } from "mocha";

/** A loaded machine of two cores may be slow at everything. */
const TEST_TIMEOUT_MS = 120_000;

/** Called by the editor; rejects when a test failed. */
export function run(): Promise<void> {
  const { HOST_GREP: grep, HOST_TIMES: times } = process.env;
  const mocha = new Mocha({
    ui: "bdd",
    timeout: TEST_TIMEOUT_MS,
    forbidOnly: true,
    reporter: report,
    ...(grep && { grep }),
  });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  repeated(Number(times ?? 1));
  // Required only now: describe and it exist since the line above.
  if (process.env["HOST_TRAP_PORT"]) require("./restricted.ts");
  else require("./tests.ts");
  return new Promise((resolve, reject) => {
    mocha.run((failures) => {
      if (failures > 0) reject(new Error(`${failures} tests failed.`));
      else resolve();
    });
  });
}

/** Has every test run several times in a row: a race shows itself that way. */
function repeated(times: number): void {
  const once = globalThis.it;
  if (times <= 1) return;
  globalThis.it = (title, body) => {
    for (let time = 1; time <= times; time++) once(`${title} (${time})`, body);
  };
}

/** Lines with a mark, so that whoever reads the host's console finds them. */
function report(runner: Runner): void {
  const say = (text: string) => console.log(`[suite] ${text}`);
  let passed = 0;
  runner.on("pass", (test) => {
    passed += 1;
    say(`✓ ${test.fullTitle()} (${test.duration ?? 0} ms)`);
  });
  runner.on("fail", (test, error) => say(`✗ ${test.fullTitle()}\n${error.stack ?? error.message}`));
  runner.on("end", () => say(`${passed} passed`));
}
