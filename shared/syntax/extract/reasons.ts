/** Why a result is empty or invalid, in words for whoever reads the ranking. */
import { identityOf } from "../languages/languages.ts";
import type { Answer } from "../replies/reasoning.ts";
import type { Candidate, Piece } from "./candidate.ts";

/** Why no code was found. */
export function emptyReason(answer: Answer, pieces: readonly Piece[]): string {
  if (answer.endless) return "The reply is cut off in its reasoning: there is no answer.";
  if (answer.lines.every((line) => line.text.trim() === "")) {
    return answer.reasoned ? "The reply is reasoning only: there is no answer." : "The reply is empty.";
  }
  return pieces.length === 0 ? "The reply has no code." : "The reply has nothing that could be the program.";
}

/** Why the code that was found is not valid. */
export function invalidReason(candidate: Candidate): string {
  const { verdict, language, really, piece } = candidate;
  if (really !== undefined)
    return `The reply is ${identityOf(really).name}, not ${identityOf(language).name}.`;
  switch (verdict.state) {
    case "valid":
      return "";
    case "nothing":
      return "There is nothing in it: no statement or definition, only comments or placeholders.";
    case "too large":
      return "The code is too large or nested too deeply to check.";
    case "invalid": {
      if (!piece.closed) return `The code is cut off: the reply ends before it does.`;
      const first = verdict.faults[0];
      const where = first && candidate.lines[first.at.row];
      const place =
        where === undefined ? "." : ` in line ${where.number + 1} of the reply. ${first?.message ?? ""}`;
      return `The code is not valid ${identityOf(language).name}: syntax error${place}`;
    }
    default:
      return verdict satisfies never;
  }
}
