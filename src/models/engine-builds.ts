/** What models run on: the report of `codescaler doctor`, and the CUDA build that can be added. */

import * as vscode from "vscode";
import * as z from "zod";
import { gigabytes } from "../../shared/gigabytes.ts";
import { reasonOf } from "../base/log.ts";
import type { Configuration } from "../editor/configuration.ts";
import type { Pages } from "../editor/pages.ts";
import { withProgress } from "../editor/progress.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";
import { type CommandLine, runForJson, runForText } from "./command-line.ts";
import { downloadProgress } from "./download-progress.ts";

export interface DeviceDependencies {
  readonly commandLine: CommandLine;
  readonly configuration: Configuration;
  readonly pages: Pages;
  readonly server: RewardServer;
}

/** Shows what was found on this machine, what was chosen and what can be done. */
export async function showDoctor({
  commandLine,
  pages,
}: Pick<DeviceDependencies, "commandLine" | "pages">): Promise<void> {
  const report = await withProgress(vscode.l10n.t("Looking at drivers and GPUs"), (signal) =>
    runForText(commandLine, ["doctor"], { signal }),
  );
  if (report !== undefined) await pages.show("doctor.log", report);
}

const builds = z.array(
  z.object({ backend: z.string(), installed: z.boolean(), bytes: z.number(), download_bytes: z.number() }),
);

/** Adds the CUDA build after the user agreed, or removes it. */
export async function chooseCudaBuild(deps: DeviceDependencies): Promise<void> {
  const { commandLine } = deps;
  const listed = await withProgress(vscode.l10n.t("Looking for builds"), (signal) =>
    runForJson(commandLine, ["devices", "list", "--json"], { signal }),
  );
  if (listed === undefined) return;
  const cuda = builds.parse(listed).find(({ backend }) => backend === "cuda");
  if (cuda === undefined) {
    throw new Error(
      vscode.l10n.t("There is no CUDA build for this platform; the other builds need no installation."),
    );
  }
  await (cuda.installed ? remove(deps, cuda.bytes) : install(deps, cuda.download_bytes));
}

async function remove({ commandLine, server }: DeviceDependencies, bytes: number): Promise<void> {
  const button = vscode.l10n.t("Remove");
  const agreed = await vscode.window.showInformationMessage(
    vscode.l10n.t("Remove the CUDA build?"),
    {
      modal: true,
      detail: vscode.l10n.t("It takes {0}. It can be added again at any time.", gigabytes(bytes)),
    },
    button,
  );
  if (agreed !== button) return;
  await server.stop();
  await withProgress(vscode.l10n.t("Removing the CUDA build"), (signal) =>
    runForJson(commandLine, ["devices", "remove", "cuda", "--json"], { signal }),
  );
}

const outcome = z.object({ works: z.boolean(), problem: z.string().nullable() });

async function install(deps: DeviceDependencies, bytes: number): Promise<void> {
  const button = vscode.l10n.t("Download");
  const agreed = await vscode.window.showInformationMessage(
    vscode.l10n.t("Add the CUDA build?"),
    {
      modal: true,
      detail: vscode.l10n.t(
        "{0} from the npm registry. It may be faster than Vulkan on NVIDIA's cards, and needs NVIDIA's driver and CUDA runtime. You can stop at any time; it continues later.",
        gigabytes(bytes),
      ),
    },
    button,
  );
  if (agreed !== button) return;
  try {
    const done = await withProgress(vscode.l10n.t("Adding the CUDA build"), (signal, report) =>
      runForJson(
        deps.commandLine,
        ["devices", "install", "cuda", "--progress", "json", "--exit-with-stdin", "--json"],
        {
          signal,
          env: deps.configuration.proxyEnvironment(),
          onProgress: downloadProgress(report, () => vscode.l10n.t("unpacking")),
        },
      ),
    );
    if (done === undefined) return;
    const { works, problem } = outcome.parse(done);
    if (works) await deps.server.restart();
    else
      await offerDoctor(
        deps,
        vscode.l10n.t("The CUDA build is installed, but does not work here: {0}.", problem ?? ""),
      );
  } catch (error) {
    await offerDoctor(deps, reasonOf(error));
  }
}

async function offerDoctor(deps: DeviceDependencies, problem: string): Promise<void> {
  const button = vscode.l10n.t("Doctor");
  if ((await vscode.window.showErrorMessage(problem, button)) === button) await showDoctor(deps);
}
