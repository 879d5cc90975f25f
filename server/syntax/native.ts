import type { SyntaxRuntime } from "./parser.ts";
/** placeholder */
export async function nativeRuntime(): Promise<SyntaxRuntime | undefined> {
  return undefined;
}
