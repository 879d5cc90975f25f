/** The language status item: one health value decides icon, words and action. */
import * as vscode from "vscode";
import { Disposables } from "../base/emitter.ts";
import { seconds } from "../base/figures.ts";
import type { RankingSession } from "../ranking/session.ts";
import type { RewardServer, ServerState } from "../reward-server/server-interface.ts";
import type { Health } from "../sources/health.ts";
import type { Pace } from "../sources/pace.ts";
import { SELECTOR } from "./documents.ts";
import { sentenceOf } from "./sentences.ts";

/** How one source is, in words. */
export interface SourceStatus {
  readonly label: string;
  readonly detail: string;
  readonly failed: boolean;
  /** Usual time to its first completion, in milliseconds, where that is longer than a suggestion may take. */
  readonly slowMs: number | undefined;
}

export interface StatusDependencies extends SourceKnowledge {
  readonly server: RewardServer;
  readonly session: RankingSession;
  readonly automatic: () => boolean;
}

export class Status implements vscode.Disposable {
  readonly #deps: StatusDependencies;
  readonly #lifetime = new Disposables();
  readonly #completions: vscode.LanguageStatusItem;
  readonly #model: vscode.LanguageStatusItem;

  constructor(deps: StatusDependencies) {
    this.#deps = deps;
    this.#completions = this.#lifetime.add(
      vscode.languages.createLanguageStatusItem("codescaler.completions", SELECTOR),
    );
    this.#completions.name = vscode.l10n.t("CodeScaler: completions");
    this.#model = this.#lifetime.add(vscode.languages.createLanguageStatusItem("codescaler.model", SELECTOR));
    this.#model.name = vscode.l10n.t("CodeScaler: reward model");
    this.#lifetime.add(deps.server.onDidChange(() => this.#showModel()));
    this.#lifetime.add(deps.session.onDidChange(() => this.#showModel()));
    this.#lifetime.add(deps.health.onChange(() => this.refresh()));
    this.refresh();
  }

  /** Shows the present state; called by whoever changes what is not an event here. */
  refresh(): void {
    this.#showCompletions();
    this.#showModel();
  }

  dispose(): void {
    this.#lifetime.dispose();
  }

  #showCompletions(): void {
    const item = this.#completions;
    const sources = sourceStatus(this.#deps);
    const failed = sources.filter((source) => source.failed);
    item.busy = this.#deps.sources().some(({ id }) => this.#deps.health.of(id).kind === "asking");
    item.command = menuCommand();
    item.severity = vscode.LanguageStatusSeverity.Information;
    item.detail = sources.map(({ label, detail }) => `${label}: ${detail}`).join("; ");
    if (sources.length === 0) {
      item.text = `$(sparkle) ${vscode.l10n.t("No source of completions yet")}`;
      item.detail = "";
      item.command = { command: "codescaler.addSource", title: vscode.l10n.t("Add a source…") };
    } else if (failed.length === sources.length) {
      item.severity = vscode.LanguageStatusSeverity.Warning;
      item.text = `$(warning) ${vscode.l10n.t("No completions")}`;
    } else {
      const text = this.#deps.automatic()
        ? vscode.l10n.t("Suggesting while you type")
        : vscode.l10n.t("Suggesting on command");
      item.text = `$(${failed.length > 0 ? "warning" : "sparkle"}) ${text}`;
    }
  }

  #showModel(): void {
    const item = this.#model;
    const { state } = this.#deps.server;
    const last = this.#deps.session.last()?.reply;
    item.busy = state.kind === "starting";
    item.severity = severityOf(state);
    item.text = serverText(state, last?.model);
    item.detail = serverDetail(state, last?.timings.total_ms);
    item.command = modelCommand(state);
  }
}

function modelCommand(state: ServerState): vscode.Command {
  if (state.kind === "failed" || state.kind === "down") {
    return { command: "codescaler.restartServer", title: vscode.l10n.t("Restart") };
  }
  const slower = state.kind === "ready" && state.reason !== undefined;
  return slower ? { command: "codescaler.doctor", title: vscode.l10n.t("Doctor") } : menuCommand();
}

function menuCommand(): vscode.Command {
  return { command: "codescaler.menu", title: vscode.l10n.t("Actions…") };
}

/** What is known of how sources are doing. */
export interface SourceKnowledge {
  readonly health: Health;
  readonly pace: Pace;
  /** Configured sources by id and label; without loading anything heavy. */
  readonly sources: () => readonly { readonly id: string; readonly label: string }[];
  /** How long a suggestion may take while typing, in milliseconds. */
  readonly budgetMs: () => number;
}

/** How the configured sources are doing. */
export function sourceStatus({ health, pace, sources, budgetMs }: SourceKnowledge): SourceStatus[] {
  return sources().map(({ id, label }) => {
    const state = health.of(id);
    const known = state.kind === "asking" ? state.before : state;
    if (known.kind === "failed") {
      return { label, detail: sentenceOf(known.error), failed: true, slowMs: undefined };
    }
    const usualMs = pace.usualMs(id) ?? 0;
    if (usualMs > budgetMs()) {
      const detail = vscode.l10n.t("takes about {0} s for what you ask", seconds(usualMs));
      return { label, detail, failed: false, slowMs: usualMs };
    }
    const detail =
      known.kind === "ready"
        ? vscode.l10n.t("first candidate after {0} ms", Math.round(known.firstMs))
        : vscode.l10n.t("not asked yet");
    return { label, detail, failed: false, slowMs: undefined };
  });
}

function severityOf(state: ServerState): vscode.LanguageStatusSeverity {
  switch (state.kind) {
    case "failed":
      return vscode.LanguageStatusSeverity.Error;
    case "down":
      return vscode.LanguageStatusSeverity.Warning;
    case "stopped":
    case "starting":
    case "ready":
      return vscode.LanguageStatusSeverity.Information;
    default:
      return state satisfies never;
  }
}

function serverText(state: ServerState, model: { id: string; device: string } | undefined): string {
  switch (state.kind) {
    case "stopped":
      return `$(circle-outline) ${vscode.l10n.t("Reward model: starts when needed")}`;
    case "starting":
      return vscode.l10n.t("Reward model: starting");
    case "ready": {
      const name = model?.id ?? state.model;
      return `$(verified) ${model ? `${name} · ${model.device}` : name}`;
    }
    case "down":
      return `$(warning) ${vscode.l10n.t("Reward server is down")}`;
    case "failed":
      return `$(error) ${vscode.l10n.t("Reward server keeps failing")}`;
    default:
      return state satisfies never;
  }
}

function serverDetail(state: ServerState, ms: number | undefined): string {
  if (state.kind === "failed" || state.kind === "down") return sentenceOf(state.problem);
  const latency = ms === undefined ? "" : vscode.l10n.t("last ranking took {0} ms", Math.round(ms));
  const slower = state.kind === "ready" ? (state.reason ?? "") : "";
  const own = state.kind === "ready" && state.own ? vscode.l10n.t("your server at {0}", state.url) : "";
  const rest = [own, latency].filter((part) => part !== "").join(", ");
  return [slower, rest].filter((part) => part !== "").join(" ");
}
