/**
 * What the editor's own agents may use: a tool that ranks candidates, and the server of the Model Context Protocol
 * with all three (server/mcp).
 */
import * as vscode from "vscode";
import { Disposables } from "../base/emitter.ts";
import type { CommandLine } from "../models/command-line.ts";
import type { Ranker } from "../ranking/ranker.ts";

/** Names of package.json's contributions. */
export const TOOL = "codescaler_rank";
export const MCP_PROVIDER = "codescaler";

export interface ToolsDependencies {
  readonly rank: Ranker;
  readonly commandLine: CommandLine;
  readonly version: string;
}

/** What an agent sends; checked by the reward server, which says what is wrong. */
export interface RankInput {
  readonly question: string;
  readonly language?: string;
  readonly candidates: readonly string[];
}

export function registerTools({ rank, commandLine, version }: ToolsDependencies): vscode.Disposable {
  const lifetime = new Disposables();
  lifetime.add(
    vscode.lm.registerTool<RankInput>(TOOL, { invoke: (call, token) => invoke(rank, call, token) }),
  );
  lifetime.add(
    vscode.lm.registerMcpServerDefinitionProvider(MCP_PROVIDER, {
      provideMcpServerDefinitions: () => [
        new vscode.McpStdioServerDefinition(
          "CodeScaler",
          commandLine.execPath,
          [commandLine.script, "mcp"],
          // The editor adds its own environment; this makes its runtime a plain Node.
          { ELECTRON_RUN_AS_NODE: "1" },
          version,
        ),
      ],
    }),
  );
  return lifetime;
}

async function invoke(
  rank: Ranker,
  { input }: vscode.LanguageModelToolInvocationOptions<RankInput>,
  token: vscode.CancellationToken,
): Promise<vscode.LanguageModelToolResult> {
  const stop = new AbortController();
  token.onCancellationRequested(() => stop.abort());
  const { question, language, candidates } = input;
  const reply = await rank(
    {
      task: { question, ...(language !== undefined && { language }) },
      candidates: candidates.map((text, index) => ({ id: String(index + 1), text })),
    },
    stop.signal,
  );
  return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(JSON.stringify(reply))]);
}
