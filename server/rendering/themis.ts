/** Themis: a system turn selects what is judged; without one it is quality in general. */
import type { Message } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import type { Conversation } from "./conversations.ts";

/**
 * Puts the criterion's system turn first. Its wording is data of the model.
 * @throws ServiceError invalid_request for an unknown criterion, or one beside a system turn of the conversation
 */
export const themis: Conversation = (messages, criterion, criteria): readonly Message[] => {
  if (criterion === undefined) return messages;
  const wording = criteria.get(criterion);
  if (wording === undefined) {
    throw new ServiceError(
      "invalid_request",
      criteria.size === 0
        ? "The model's file has no wording for criteria. Convert it again with a criteria.json in its folder, or leave the criterion out."
        : `The model knows no criterion ${JSON.stringify(criterion)}. Known are ${[...criteria.keys()].join(", ")}.`,
    );
  }
  if (messages[0]?.role === "system") {
    throw new ServiceError(
      "invalid_request",
      "A conversation with a system turn of its own cannot be judged by a criterion. Leave one of the two out.",
    );
  }
  return [{ role: "system", content: wording }, ...messages];
};
