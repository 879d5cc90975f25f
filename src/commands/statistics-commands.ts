/** Commands about what is counted and recorded on this machine. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import type { Pages } from "../editor/pages.ts";
import type { PreferenceStore } from "../preferences/preference-store.ts";
import type { SourceSet } from "../sources/source-set.ts";
import { summaryOf } from "../statistics/outcomes.ts";
import { type SourceUsage, statisticsPage } from "../statistics/statistics-page.ts";
import type { StatisticsStore } from "../statistics/statistics-store.ts";
import type { CommandHandlers } from "./register-commands.ts";

export interface StatisticsCommandDependencies {
  readonly configuration: Configuration;
  readonly pages: Pages;
  readonly preferences: PreferenceStore;
  readonly sourceSet: () => Promise<SourceSet>;
  readonly statistics: StatisticsStore;
}

export function statisticsCommands({
  configuration,
  pages,
  preferences,
  sourceSet,
  statistics,
}: StatisticsCommandDependencies): Pick<
  CommandHandlers,
  "statistics" | "eraseStatistics" | "exportPreferences"
> {
  return {
    statistics: async () =>
      pages.show("statistics.md", statisticsPage(summaryOf(statistics.outcomes), usageOf(await sourceSet()))),
    eraseStatistics: async () => {
      await statistics.setOutcomes([]);
      await preferences.erase();
      (await sourceSet()).usage.erase();
      vscode.window.setStatusBarMessage(vscode.l10n.t("Statistics erased."), 4000);
    },
    exportPreferences: async () => {
      const { exportPreferences } = await import("../preferences/export-preferences.ts");
      await exportPreferences(preferences, configuration.for()["preferences.enable"]);
    },
  };
}

/** What each source was asked for and spent, by day, newest day first. */
function usageOf({ usage, sources }: SourceSet): SourceUsage[] {
  const labels = new Map(sources().map(({ id, label }) => [id, label]));
  return Object.entries(usage.days())
    .reverse()
    .flatMap(([day, bySource]) =>
      Object.entries(bySource).map(([id, { requests, promptTokens, completionTokens, estimated }]) => ({
        day,
        label: labels.get(id) ?? id,
        requests,
        tokens: promptTokens + completionTokens,
        estimated,
      })),
    );
}
