/** What a server leaves that cannot write. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { serverScript } from "../../../server/files/package-files.ts";
import { Home } from "../../helpers/windows.ts";

let home: Home | undefined;
afterEach(() => home?.dispose());

test.runIf(process.platform === "linux")(
  "a server that cannot write its lease says why, ends, and leaves no lock in the way",
  async () => {
    home = new Home();
    // No file may grow: each write fails half-way, as on a full disk.
    const limited = ["-c", 'ulimit -f 0; exec "$0" "$@"', process.execPath, serverScript];
    const server = spawn("bash", [...limited, "serve", "--shared", "--device", "cpu"], {
      env: home.env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let words = "";
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      words += text;
    });
    expect(await once(server, "close")).toEqual([1, null]);
    expect(words).toMatch(/server-v1\.\w+ cannot be written: .*larger than this disk or account allows/);
    expect(home.left()).toEqual([]);
  },
);
