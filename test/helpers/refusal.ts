/** What work that must fail says. */
import { expect } from "vitest";
import { ServiceError } from "../../server/errors.ts";

/** The failure of the work, which must be one that users are told. Whatever else it throws is thrown. */
export async function failureOf(work: Promise<unknown>): Promise<ServiceError> {
  const error: unknown = await work.then(
    () => new Error("it worked"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw error;
  return error;
}

/** The same: its sentence, which is one line and ends with a full stop. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const { message } = await failureOf(work);
  expect(message).toMatch(/^[^\n]+\.$/);
  return message;
}
