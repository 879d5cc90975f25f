"""What the scores of a problem's solutions say: how good they are, how far apart, how hard the problem is."""

import math
import statistics
from dataclasses import dataclass
from typing import Any


def solutions_of(ranking: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """{"valid", "code", "score", "probability", "agreement"} of each reply, in the order they were sent.

    `score` is what decides the order: the reward, or the likelihood where the judge has no reward; None where invalid.
    """
    found: dict[int, dict[str, Any]] = {}
    for candidate in ranking["candidates"]:
        signals = candidate.get("signals") or {}
        score = candidate["reward"] if candidate["reward"] is not None else signals.get("likelihood")
        same = [candidate["id"], *candidate["duplicates"]]
        for name in same:
            found[int(name)] = {
                "valid": candidate["valid"],
                "code": candidate["code"],
                "score": score if candidate["valid"] else None,
                "probability": candidate.get("probability"),
                "agreement": len(same) / count if candidate["valid"] else 0.0,
            }
    return [found[place] for place in range(count)]


@dataclass(frozen=True)
class Facts:
    """What N scored solutions say of a problem."""

    valid: float
    """Share of solutions that hold a program which parses."""
    best: float | None
    margin: float | None
    """Best score minus the median of the valid ones."""
    spread: float | None
    """Standard deviation of the valid solutions' scores: 0 where a policy always does the same."""
    agreement: float
    """Largest share of solutions with the same program."""


def facts_of(solutions: list[dict[str, Any]]) -> Facts:
    """Facts of the solutions; scores that are missing or not finite count as invalid ones."""
    scores = [s["score"] for s in solutions if s["valid"] and s["score"] is not None and math.isfinite(s["score"])]
    valid = len(scores) / len(solutions) if solutions else 0.0
    if not scores:
        return Facts(valid, None, None, None, 0.0)
    best = max(scores)
    agreement = max(s["agreement"] for s in solutions)
    return Facts(valid, best, best - statistics.median(scores), statistics.pstdev(scores), agreement)


def difficulties(spreads: list[float | None]) -> list[str]:
    """`easy`, `medium` or `hard` by thirds of the spread of scores; `unknown` where there is none.

    A policy that solves a problem writes much the same each time, one that guesses does not: a wide spread is where it
    has most to learn.
    """
    known = sorted(spread for spread in spreads if spread is not None)
    if len(known) < 3:
        return ["unknown"] * len(spreads)
    low, high = known[len(known) // 3], known[2 * len(known) // 3]
    return [
        "unknown" if spread is None else "easy" if spread < low else "medium" if spread < high else "hard"
        for spread in spreads
    ]
