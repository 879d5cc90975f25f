/** Commands about reward models and what they run on. What they show is loaded when one is run. */
import type { SecretStorage } from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import type { Pages } from "../editor/pages.ts";
import type { CommandLine } from "../models/command-line.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";
import type { CommandHandlers } from "./register-commands.ts";

export interface ModelCommandDependencies {
  readonly commandLine: CommandLine;
  readonly configuration: Configuration;
  readonly pages: Pages;
  readonly secrets: SecretStorage;
  readonly server: RewardServer;
}

export function modelCommands({
  commandLine,
  configuration,
  pages,
  secrets,
  server,
}: ModelCommandDependencies): Pick<CommandHandlers, "chooseModel" | "doctor" | "cudaBuild"> {
  return {
    chooseModel: async () => {
      const { chooseModel } = await import("../models/choose-model.ts");
      await chooseModel({ commandLine, configuration, secrets, server });
    },
    doctor: async () => {
      const { showDoctor } = await import("../models/engine-builds.ts");
      await showDoctor({ commandLine, pages });
    },
    cudaBuild: async () => {
      const { chooseCudaBuild } = await import("../models/engine-builds.ts");
      await chooseCudaBuild({ commandLine, configuration, pages, server });
    },
  };
}
