/**
 * The tools that an agent gets through the Model Context Protocol: rank these, best of N for this, what code is in
 * this reply. Protocol: https://modelcontextprotocol.io/specification.
 */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import {
  LIMITS,
  MODES,
  type RankReply,
  type RankRequest,
  rankRequest,
  type Task,
  VERSION,
} from "../../shared/contract.ts";
import type { Extraction, ExtractionMode } from "../../shared/syntax/extract/extract.ts";
import { ServiceError } from "../errors.ts";
import { bestOf } from "../openai/best-of.ts";
import { MOST_SAMPLES } from "../openai/requests.ts";
import type { SampleSource } from "../openai/samples.ts";

export interface ToolDependencies {
  readonly rank: (request: RankRequest, signal: AbortSignal) => Promise<RankReply>;
  /** @param language by name or alias */
  readonly extract: (text: string, language: string | undefined, mode: ExtractionMode) => Promise<Extraction>;
  readonly source: SampleSource;
  /** Samples that are drawn where a call does not say. */
  readonly bestOf: number;
}

const text = z.string().max(LIMITS.textChars);
const language = z
  .string()
  .max(64)
  .optional()
  .describe("Programming language, as python or typescript. Needed with prefix and suffix.");
const task = {
  question: text.optional().describe("The problem in words. Give either this, or prefix and suffix."),
  prefix: text.optional().describe("Code before the cursor, for completions at a cursor."),
  suffix: text.optional().describe("Code after the cursor."),
  language,
};

/** A server with the three tools; connect it to a transport. */
export function createToolServer(deps: ToolDependencies): McpServer {
  const server = new McpServer({ name: "codescaler", version: VERSION });

  server.registerTool(
    "rank_candidates",
    {
      title: "Rank candidates",
      description:
        "Ranks several programs (or chat replies that contain one) for the same problem, best first, by a local judge model. Nothing is run. Use it when there are two or more candidate solutions and no tests.",
      inputSchema: {
        ...task,
        candidates: z
          .array(z.union([text, z.object({ id: z.string().max(1024), text })]))
          .min(1)
          .max(LIMITS.candidates)
          .describe("The candidates: texts, or objects with id and text."),
        mode: z.enum(MODES).optional(),
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (input, { signal }) =>
      answered(async () => {
        const candidates = input.candidates.map((one, index) =>
          typeof one === "string" ? { id: String(index + 1), text: one } : one,
        );
        return deps.rank(checked({ task: taskOf(input), candidates, mode: input.mode }), signal);
      }),
  );

  server.registerTool(
    "best_of_n",
    {
      title: "Best of N",
      description:
        "Draws N solutions of a problem, or completions at a cursor, from a code model, ranks them by a local judge model, and returns the best with what is known of it.",
      inputSchema: { ...task, n: z.int().min(1).max(MOST_SAMPLES).optional().describe("Samples to draw.") },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (input, { signal }) =>
      answered(async () => {
        const wanted = taskOf(input);
        const written = await deps.source.draw(
          {
            prompt:
              "prefix" in wanted
                ? { kind: "cursor", prefix: wanted.prefix, suffix: wanted.suffix }
                : { kind: "chat", messages: [{ role: "user", content: wanted.question }] },
            count: input.n ?? deps.bestOf,
            model: undefined,
            maxTokens: undefined,
            temperature: undefined,
            topP: undefined,
            seed: undefined,
            stop: [],
          },
          signal,
        );
        const rank = (request: RankRequest) => deps.rank(request, signal);
        const { chosen, rankedBy, why, ranking } = await bestOf(written, wanted, 1, rank);
        return {
          best: ranking?.candidates[0]?.code || (chosen[0]?.text ?? ""),
          ranked_by: rankedBy,
          why: why ?? ranking?.order.why ?? null,
          writer: written.model,
          samples: written.samples.length,
          ranking: ranking ?? null,
        };
      }),
  );

  server.registerTool(
    "extract_code",
    {
      title: "Extract code",
      description: "Finds the program in a model's reply by syntax, and says whether it parses and why not.",
      inputSchema: { text, language, mode: z.enum(MODES).optional() },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (input) => answered(() => deps.extract(input.text, input.language, input.mode ?? "lenient")),
  );
  return server;
}

function taskOf(input: {
  readonly question?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly language?: string | undefined;
}): Task {
  const { question, prefix, suffix, language: named } = input;
  if (question !== undefined && prefix === undefined && suffix === undefined) {
    return { question, ...(named !== undefined && { language: named }) };
  }
  if (question === undefined && (prefix !== undefined || suffix !== undefined) && named !== undefined) {
    return { prefix: prefix ?? "", suffix: suffix ?? "", language: named };
  }
  throw new ServiceError(
    "invalid_request",
    "Give either question, or prefix and suffix together with language.",
  );
}

function checked(request: object): RankRequest {
  const { data, error } = rankRequest.safeParse(request);
  if (data) return data;
  throw new ServiceError("invalid_request", error.issues[0]?.message ?? "The input is not usable.");
}

/** The result as JSON text; a failure that a user can do something about is a result too, marked as an error. */
async function answered(work: () => Promise<object>): Promise<CallToolResult> {
  try {
    return { content: [{ type: "text", text: JSON.stringify(await work()) }] };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { isError: true, content: [{ type: "text", text: error.message }] };
  }
}
