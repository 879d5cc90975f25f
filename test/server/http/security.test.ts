/** Who gets in, and who does not: other users of the machine, and web pages. */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LEASE_FILE, type Lease, LOG_FILE } from "../../../shared/sharing/lease.ts";
import { Home, SMALL } from "../../helpers/windows.ts";

let home: Home;
let lease: Lease;
beforeAll(async () => {
  home = new Home();
  const window = await home.window();
  await window.tell({ ...SMALL, secret: "MYSECRET" });
  const found = home.lease();
  if (!found) throw new Error("there is no lease");
  lease = found;
});
afterAll(() => home.dispose());

describe.runIf(process.platform !== "win32")("another user of this machine", () => {
  test("may neither enter the folder nor read a file in it", () => {
    expect(statSync(home.folder).mode & 0o777).toBe(0o700);
    const files = readdirSync(home.folder);
    expect(files).toContain(LEASE_FILE);
    expect(files).toContain(LOG_FILE);
    for (const file of files) expect(statSync(join(home.folder, file)).mode & 0o077, file).toBe(0);
  });

  test("finds neither token nor code in the log, in arguments, or in the server's environment", () => {
    const texts = [home.log()];
    if (process.platform === "linux") {
      for (const file of ["cmdline", "environ"])
        texts.push(readFileSync(`/proc/${lease.pid}/${file}`, "latin1"));
    } else texts.push(execFileSync("ps", ["-p", String(lease.pid), "-o", "command="], { encoding: "utf8" }));
    for (const text of texts) {
      expect(text).not.toContain(lease.token);
      expect(text).not.toContain("MYSECRET");
    }
  });

  const nobody = process.getuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0;
  test.runIf(nobody)("is turned away by the system, and by the server without the token", () => {
    // The way there is open, as a home's often is; the folder itself is not.
    for (let folder = dirname(home.folder); folder.startsWith(home.path); folder = dirname(folder)) {
      chmodSync(folder, 0o755);
    }
    const as = (...command: string[]) =>
      spawnSync("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", ...command], {
        encoding: "utf8",
      });
    expect(as("true").status).toBe(0);
    const wanted = [LEASE_FILE, LOG_FILE].map((file) => ["cat", join(home.folder, file)]);
    for (const command of [...wanted, ["ls", home.folder], ["cat", `/proc/${lease.pid}/environ`]]) {
      const { status, stdout, stderr } = as(...command);
      expect(status, command.join(" ")).not.toBe(0);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/denied/);
    }
    for (const command of [
      ["touch", join(home.folder, "x")],
      ["rm", "-f", join(home.folder, LEASE_FILE)],
    ]) {
      expect(as(...command).status, command.join(" ")).not.toBe(0);
    }
    const program = `fetch("http://127.0.0.1:${lease.port}/health").then((r) => process.exit(r.status === 401 ? 0 : 1))`;
    expect(as(process.execPath, "-e", program).status).toBe(0);
  });
});

describe("a web page", () => {
  const ROUTES = [
    "/v1/rank",
    "/v1/score",
    "/health",
    "/v1/models",
    "/v1/presence",
    "/metrics",
    "/v1/challenge",
    "/x",
  ];

  /** Sends a request as it is and returns all that comes back. */
  async function raw(lines: readonly string[], body = ""): Promise<string> {
    const socket = connect(lease.port, "127.0.0.1");
    socket.end(
      [...lines, "Connection: close", `Content-Length: ${Buffer.byteLength(body)}`, "", body].join("\r\n"),
    );
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
    });
    socket.on("error", () => {});
    await once(socket, "close");
    return text;
  }
  const host = () => `Host: 127.0.0.1:${lease.port}`;
  const token = () => `Authorization: Bearer ${lease.token}`;

  test.each(["GET", "POST", "OPTIONS", "HEAD", "PUT"])(
    "gets nothing by %s, even with the token, and no permission to read",
    async (method) => {
      for (const route of ROUTES) {
        for (const origin of [
          "https://evil.example",
          "null",
          `http://127.0.0.1:${lease.port}`,
          "vscode-webview://x",
        ]) {
          const text = await raw([
            `${method} ${route} HTTP/1.1`,
            host(),
            token(),
            `Origin: ${origin}`,
            "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: authorization,content-type",
            "Access-Control-Request-Private-Network: true",
          ]);
          expect(text, `${method} ${route}`).toMatch(/^HTTP\/1\.1 403 /);
          expect(text.toLowerCase()).not.toContain("access-control-");
        }
      }
    },
  );

  test("gets nothing under a name of its own that leads here", async () => {
    for (const name of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "0.0.0.0",
      "",
    ]) {
      for (const route of ROUTES) {
        const text = await raw([`GET ${route} HTTP/1.1`, `Host: ${name}`, token()]);
        expect(text, `${name} ${route}`).toMatch(/^HTTP\/1\.1 40[03] /);
      }
    }
    // The address in the request line is no way around it.
    expect(await raw(["GET http://evil.example/health HTTP/1.1", "Host: evil.example", token()])).toMatch(
      / 403 /,
    );
  });

  test("gets nothing by what needs no permission: forms, images, plain text", async () => {
    const body = JSON.stringify({ task: { question: "q" }, candidates: [{ id: "1", text: "x" }] });
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "",
    ]) {
      for (const extra of ["Origin: null", "Referer: https://evil.example/"]) {
        const text = await raw(["POST /v1/rank HTTP/1.1", host(), `Content-Type: ${type}`, extra], body);
        expect(text).toMatch(/^HTTP\/1\.1 40[13] /);
      }
      // With the token it is no page, but the body still has to say what it is.
      const text = await raw(["POST /v1/rank HTTP/1.1", host(), token(), `Content-Type: ${type}`], body);
      expect(text, type).toMatch(/^HTTP\/1\.1 4(15|22|00) /);
    }
    for (const route of ROUTES) {
      const text = await raw([
        `GET ${route} HTTP/1.1`,
        host(),
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Mode: no-cors",
      ]);
      expect(text, route).toMatch(route === "/v1/challenge" ? /^HTTP\/1\.1 422 / : /^HTTP\/1\.1 401 /);
    }
  });

  test("opens no WebSocket, and no tunnel", async () => {
    const upgrade = [
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for (const route of ROUTES) {
      const page = await raw([`GET ${route} HTTP/1.1`, host(), "Origin: https://evil.example", ...upgrade]);
      expect(page, route).not.toMatch(/^HTTP\/1\.1 (101|2)/);
      expect(await raw([`GET ${route} HTTP/1.1`, host(), ...upgrade])).not.toMatch(/^HTTP\/1\.1 (101|2)/);
    }
    expect(await raw(["CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443"])).not.toMatch(
      /^HTTP\/1\.1 2/,
    );
  });
});
