/** The reward-model families: how each turns a conversation into what its template is given. */
import type { Message } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import type { Family } from "../models/gguf/keys.ts";
import { themis } from "./themis.ts";

/**
 * The messages that the template renders.
 * @param criteria criterion → wording of its system turn, from the model's file
 * @throws ServiceError invalid_request for a criterion that the family or the model does not have
 */
export type Conversation = (
  messages: readonly Message[],
  criterion: string | undefined,
  criteria: ReadonlyMap<string, string>,
) => readonly Message[];

/** As it is: the template does all that the family needs (Llama's BOS and date, AceCode's default system turn). */
const plain: Conversation = (messages, criterion) => {
  if (criterion === undefined) return messages;
  throw new ServiceError(
    "invalid_request",
    "This model judges by no criterion; only Themis models do. Leave the criterion out or choose another model.",
  );
};

export const CONVERSATIONS: Readonly<Record<Family, Conversation>> = {
  codescaler: plain,
  "skywork-qwen3": plain,
  "skywork-llama": plain,
  acecode: plain,
  nano: plain,
  themis,
};
