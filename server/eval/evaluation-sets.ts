/** Reading of evaluation sets, with the line or item named where one is wrong. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { sampleLogprobs, task } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";

/** One problem with the judged samples of a model. */
export const problem = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  task,
  language: z.string().optional(),
  samples: z
    .array(z.object({ text: z.string(), passed: z.boolean(), logprobs: sampleLogprobs.optional() }))
    .min(1),
});
export type Problem = z.infer<typeof problem>;

/** One item of RM-Bench: three right and three wrong replies, from concise to elaborate. */
export const rmBenchItem = z.object({
  id: z.union([z.string(), z.number()]).transform(String).optional(),
  prompt: z.string(),
  chosen: z.array(z.string()).length(3),
  rejected: z.array(z.string()).length(3),
  domain: z.string().optional(),
  language: z.string().optional(),
});
export type RmBenchItem = z.infer<typeof rmBenchItem>;

/**
 * Problems of a JSON-lines file, each of the given shape.
 * @throws ServiceError invalid_request naming the line
 */
export async function readProblems<T extends z.ZodType>(file: string, shape: T): Promise<z.output<T>[]> {
  const problems: z.output<T>[] = [];
  for (const [index, line] of (await readUtf8(file)).split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = `Line ${index + 1} of ${file}`;
    problems.push(check(shape, parseJson(line, where), where));
  }
  if (problems.length === 0) throw new ServiceError("invalid_request", `${file} has no problems.`);
  return problems;
}

/**
 * Items of RM-Bench's JSON array.
 * @throws ServiceError invalid_request naming the item
 */
export async function readRmBench(file: string): Promise<RmBenchItem[]> {
  const value = parseJson(await readUtf8(file), file);
  if (!Array.isArray(value) || value.length === 0) {
    throw new ServiceError("invalid_request", `${file} is not a JSON array of items.`);
  }
  return value.map((item: unknown, index) => check(rmBenchItem, item, `Item ${index + 1} of ${file}`));
}

async function readUtf8(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).replace(/^\ufeff/, "");
  } catch (error) {
    throw new ServiceError("invalid_request", `${file} cannot be read.`, { cause: error });
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ServiceError("invalid_request", `${where} is not JSON.`);
  }
}

function check<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ServiceError(
    "invalid_request",
    `${where}: ${issue?.path.map(String).join(".") ?? ""} ${issue?.message ?? "is wrong"}.`,
  );
}
