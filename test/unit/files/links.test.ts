/** Links in the folder of models: what they lead to is never changed. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mediaFolder } from "../../../server/files/package-files.ts";
import { importModel } from "../../../server/models/import-model.ts";
import { removeModel } from "../../../server/models/remove-model.ts";
import { openStore } from "../../../server/models/store.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";
import { COMMIT, NAME, PullSetting } from "../../helpers/pulling.ts";

test.skipIf(process.platform === "win32")(
  "removing a linked model removes the link and nothing else",
  async () => {
    const base = temporaryFolder();
    const models = join(base, "models");
    mkdirSync(models);
    const outside = join(base, "elsewhere.gguf");
    copyFileSync(join(mediaFolder, "golden.gguf"), outside);
    symlinkSync(outside, join(models, "linked.gguf"));
    const store = openStore(mediaFolder, models);
    expect((await store.list()).find(({ id }) => id === "linked")?.problem).toBeUndefined();
    await removeModel(store, "linked");
    expect(existsSync(outside)).toBe(true);
    expect(await store.find("linked")).toBeUndefined();
  },
);

test.skipIf(process.platform === "win32")("a download or an import never writes through a link", async () => {
  const on = await PullSetting.start();
  try {
    const outside = join(on.folder, "..", "precious");
    writeFileSync(outside, "precious");
    mkdirSync(on.folder);
    symlinkSync(outside, join(on.folder, `${NAME}.gguf`));
    await expect(
      importModel(join(mediaFolder, "golden.gguf"), {
        folder: on.folder,
        name: NAME,
        type: "f32",
        signal: new AbortController().signal,
      }),
    ).rejects.toThrow(/is installed already/);
    const { facts } = await on.pull();
    expect(facts.revision).toBe(COMMIT);
    // The model stands in the link's place.
    expect(lstatSync(join(on.folder, `${NAME}.gguf`)).isFile()).toBe(true);
    expect(readFileSync(outside, "utf8")).toBe("precious");
  } finally {
    await on.server.close();
  }
});
