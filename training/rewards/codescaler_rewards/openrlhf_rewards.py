"""Rewards of OpenRLHF's queries, for both of its forms."""

from __future__ import annotations

import math
from concurrent.futures import wait

from codescaler_rewards import shared
from codescaler_rewards.conversations import split_query
from codescaler_rewards.reward_client import RewardsUnavailable, filled


def rewards_of(queries: list[str], prompts: list[str] | None) -> list[float]:
    """Rewards in order. What has no answer gets a mean of the others; raises RewardsUnavailable where none has."""
    pairs = [split_query(query, prompts[i] if prompts else None) for i, query in enumerate(queries)]
    gatherer = shared.gatherer()
    futures = [gatherer.submit(problem, reply) for problem, reply in pairs]
    wait(futures)
    found: dict[int, float] = {}
    failure: BaseException | None = None
    for index, future in enumerate(futures):
        error = future.exception()
        if error is None:
            found[index] = future.result()
        elif isinstance(error, RewardsUnavailable):
            failure = error
        else:
            raise error
    if failure is not None and not found:
        raise failure
    return filled([problem for problem, _ in pairs], found)


def chance(reward: float) -> float:
    """softplus(logit) → sigmoid(logit): 1 - e^-reward; 0 for an invalid program. For dynamic filtering."""
    return -math.expm1(-reward)
