/** The ways to a Hub that companies have: proxies, their own certificate authorities. Real sockets, real processes. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder, tinyCheckpoint } from "../../helpers/checkpoints.ts";
import { bundled, type Ended, run } from "../../helpers/child.ts";
import { type ForwardProxy, startProxy } from "../../helpers/hub/forward-proxy.ts";
import { type HubServer, repositoryOf, startHub } from "../../helpers/hub/hub.ts";
import { ROOT } from "../../helpers/paths.ts";

const ID = "Someone/Some-Model";
const TLS = join(ROOT, "test/helpers/hub/tls");
const CERTIFICATE = join(TLS, "certificate.pem");
const tls = { key: readFileSync(join(TLS, "key.pem"), "utf8"), cert: readFileSync(CERTIFICATE, "utf8") };

/** Pulls as the command does, but gives up at the first failure of the network. */
const PULL = `
  import { hubFromEnvironment } from "./server/models/hub/hub-site.ts";
  import { pull } from "./server/models/hub/pull-checkpoint.ts";
  pull(${JSON.stringify(ID)}, {
    hub: { ...hubFromEnvironment(), retryMs: 1 }, folder: process.env.FOLDER, type: "q8_0",
    signal: new AbortController().signal,
  }).then(({ name }) => console.log(name), (error) => { console.error(error.message); process.exitCode = 1; });
`;

let hub: HubServer;
let proxy: ForwardProxy;
beforeEach(async () => {
  proxy = await startProxy();
});
afterEach(async () => {
  await proxy.close();
  await hub.close();
});

async function pullWith(env: Record<string, string>): Promise<Ended> {
  hub.repositories.set(ID, repositoryOf(tinyCheckpoint("qwen3").folder));
  const variables = Object.entries({
    HTTP_PROXY: "",
    HTTPS_PROXY: "",
    NO_PROXY: "",
    http_proxy: "",
    https_proxy: "",
    no_proxy: "",
    NODE_EXTRA_CA_CERTS: "",
    HF_TOKEN: "",
    HF_ENDPOINT: hub.endpoint,
    FOLDER: temporaryFolder(),
    ...env,
  }).map(([name, value]) => `${name}=${value}`);
  return run("env", [...variables, process.execPath, await bundled(PULL)]);
}

describe("a Hub that only the proxy can reach", () => {
  test("over http, content network included", async () => {
    hub = await startHub({ host: "hub.test" });
    const { stdout, stderr } = await pullWith({ HTTP_PROXY: proxy.url });
    expect([stdout, stderr]).toEqual(["some-model\n", ""]);
    expect(proxy.seen[0]).toBe(`GET ${hub.endpoint}/api/models/${ID}/revision/main`);
    expect(proxy.seen.some((one) => one.startsWith(`GET ${hub.cdn}/`))).toBe(true);
  }, 60_000);

  test("over https: a tunnel that the proxy cannot look into, certified by the company's own authority", async () => {
    hub = await startHub({ host: "hub.test", tls });
    const env = { HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: CERTIFICATE, HF_TOKEN: "hf_secret" };
    const { stdout, stderr } = await pullWith(env);
    expect([stdout, stderr]).toEqual(["some-model\n", ""]);
    expect(proxy.seen.every((one) => one.startsWith("CONNECT hub.test:"))).toBe(true);
    expect(
      hub.seen.filter(({ where }) => where === "cdn").every((one) => one.authorization === undefined),
    ).toBe(true);
    expect(hub.seen[0]?.authorization).toBe("Bearer hf_secret");
  }, 60_000);

  test("with an authority that nobody named, the sentence names the variable", async () => {
    hub = await startHub({ host: "hub.test", tls });
    const { stderr } = await pullWith({ HTTPS_PROXY: proxy.url });
    expect(stderr).toMatch(
      /^The certificate of hub.test:\d+ cannot be verified. .* name its file in NODE_EXTRA_CA_CERTS.\n$/,
    );
    expect(hub.seen).toEqual([]);
  }, 60_000);

  test.each(["HTTP_PROXY", "HTTPS_PROXY"])(
    "%s with a password",
    async (variable) => {
      const strict = await startProxy("me:secret");
      hub = await startHub({ host: "hub.test", ...(variable === "HTTPS_PROXY" && { tls }) });
      const env = (url: string) => ({ [variable]: url, NODE_EXTRA_CA_CERTS: CERTIFICATE });
      expect((await pullWith(env(strict.url))).stderr).toMatch(/^The proxy asks for a name and a password./);
      const { stdout } = await pullWith(env(strict.url.replace("//", "//me:secret@")));
      expect(stdout).toBe("some-model\n");
      await strict.close();
    },
    60_000,
  );

  test("without it, or past it by NO_PROXY, is not found", async () => {
    hub = await startHub({ host: "hub.test" });
    for (const env of [{}, { HTTP_PROXY: proxy.url, NO_PROXY: "hub.test" }]) {
      const { stderr } = await pullWith(env);
      expect(stderr).toMatch(/^hub.test:\d+ cannot be reached \(.*HTTPS_PROXY and HF_ENDPOINT/);
    }
    expect(proxy.seen).toEqual([]);
  }, 60_000);
});

test("a Hub on this machine is never asked through a proxy", async () => {
  hub = await startHub();
  const { stdout } = await pullWith({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
  expect(stdout).toBe("some-model\n");
  expect(proxy.seen).toEqual([]);
}, 60_000);
