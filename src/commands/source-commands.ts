/** Commands about where completions come from. What they show is loaded when one is run. */
import type { SecretStorage } from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import type { CommandLine } from "../models/command-line.ts";
import type { SourceSet } from "../sources/source-set.ts";
import type { CommandHandlers } from "./register-commands.ts";

export interface SourceCommandDependencies {
  readonly commandLine: CommandLine;
  readonly configuration: Configuration;
  readonly secrets: SecretStorage;
  readonly sourceSet: () => Promise<SourceSet>;
}

export function sourceCommands({
  commandLine,
  configuration,
  secrets,
  sourceSet,
}: SourceCommandDependencies): Pick<CommandHandlers, "addSource" | "setKey"> {
  return {
    addSource: async () => {
      const { addSource } = await import("../sources/setup/add-source.ts");
      const { http } = await sourceSet();
      await addSource({ commandLine, configuration, secrets, http });
    },
    setKey: async () => {
      const { setKey } = await import("../sources/setup/set-key.ts");
      await setKey(configuration, secrets);
    },
  };
}
