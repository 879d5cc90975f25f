/** How an over-long input is shortened: tokens go from the end of problem and code, the template's own all stay. */
import { ServiceError } from "../errors.ts";

/** Less room than this for problem and code together cannot be judged. */
const MINIMUM_ROOM = 16;
/** Share of the room that the code may keep when both are long: it is what is judged. */
const CODE_SHARE = 3 / 4;

export interface Lengths {
  /** Tokens of the fragment that holds the problem. */
  readonly problem: number;
  /** Tokens of the fragment that holds the code. */
  readonly code: number;
}

/**
 * Tokens that problem and code keep.
 * @param limit most tokens of the whole input
 * @param others tokens of everything else, which all stay
 * @throws ServiceError too_long when what must stay leaves no room
 */
export function keptLengths(limit: number, others: number, { problem, code }: Lengths): Lengths {
  const room = limit - others;
  if (room < MINIMUM_ROOM) {
    throw new ServiceError(
      "too_long",
      `The other turns alone take ${others} or more of the model's ${limit} tokens, so problem and code have no room. Send fewer or shorter messages.`,
    );
  }
  const keptCode = Math.min(code, Math.max(room - problem, Math.floor(room * CODE_SHARE)));
  return { problem: Math.min(problem, room - keptCode), code: keptCode };
}
