/** Getting what a remote engine needs here: a tokenizer without the weights of its model. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { hubAt } from "../../../server/models/hub/hub-site.ts";
import { pullTokenizer } from "../../../server/models/hub/pull-checkpoint.ts";
import { removeModel } from "../../../server/models/remove-model.ts";
import { openStore } from "../../../server/models/store.ts";
import { findTokenizer } from "../../../server/models/tokenizer-file.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";
import { COMMIT, ID, NAME, PullSetting } from "../../helpers/pulling.ts";

let setting: PullSetting;
afterEach(() => setting.server.close());

function pullIt() {
  return pullTokenizer(NAME, {
    hub: { ...hubAt(setting.server.endpoint), retryMs: 1, silenceMs: 5000 },
    folder: setting.folder,
    signal: new AbortController().signal,
  });
}

test("the tokenizer of a model comes without any of its weights, and leaves nothing else", async () => {
  setting = await PullSetting.start();
  let asked = 0;
  setting.weights(() => {
    asked++;
    return undefined;
  });
  const { name, facts } = await pullIt();
  expect(name).toBe(NAME);
  expect(facts).toMatchObject({
    family: "codescaler",
    source: ID,
    revision: COMMIT,
    maxTokens: expect.any(Number),
  });
  expect(asked).toBe(0);
  expect(readdirSync(setting.folder).filter((file) => file !== ".downloads")).toEqual(["tokenizers"]);
  expect(setting.downloads().filter((file) => !file.endsWith(".lock"))).toEqual([]);
  // It is no model that could be used here.
  const store = openStore(temporaryFolder(), setting.folder);
  expect(await store.find(NAME)).toBeUndefined();
  expect(await removeModel(store, NAME)).toMatchObject({ what: ["tokenizer"] });
  expect(await findTokenizer(setting.folder, NAME)).toBeUndefined();
});

test("an unfinished download of the whole model stays, and continues", async () => {
  setting = await PullSetting.start();
  setting.brokenWeights(1000);
  await expect(setting.pull()).rejects.toThrow();
  setting.heal();
  await pullIt();
  expect(existsSync(join(setting.folder, ".downloads"))).toBe(true);
  const before = setting.ranges().length;
  const { fetched } = await setting.pull();
  expect(fetched).toBe(true);
  expect(setting.ranges().slice(before)).toEqual([expect.stringMatching(/^bytes=1000-/)]);
});
