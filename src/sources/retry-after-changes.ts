/** A changed setting or key deserves a fresh try: what was wrong with a source is forgotten. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import type { Health } from "./health.ts";
import { configuredSources } from "./source-names.ts";

export interface RecoveryDependencies {
  readonly configuration: Configuration;
  readonly secrets: vscode.SecretStorage;
  readonly health: Health;
}

export function retryAfterChanges({
  configuration,
  secrets,
  health,
}: RecoveryDependencies): vscode.Disposable {
  const forget = () => {
    for (const { id } of configuredSources(configuration.for().sources)) health.forget(id);
  };
  return vscode.Disposable.from(secrets.onDidChange(forget), configuration.onDidChange(forget));
}
