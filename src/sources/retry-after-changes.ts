/** A changed setting or key deserves a fresh try: what was wrong with a source is forgotten. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import type { Health } from "./health.ts";
import type { Pace } from "./pace.ts";
import { configuredSources } from "./source-names.ts";

export interface RecoveryDependencies {
  readonly configuration: Configuration;
  readonly secrets: vscode.SecretStorage;
  readonly health: Health;
  readonly pace: Pace;
}

export function retryAfterChanges({
  configuration,
  secrets,
  health,
  pace,
}: RecoveryDependencies): vscode.Disposable {
  const forget = () => {
    for (const { id } of configuredSources(configuration.for().sources)) health.forget(id);
    pace.forget();
  };
  return vscode.Disposable.from(secrets.onDidChange(forget), configuration.onDidChange(forget));
}
