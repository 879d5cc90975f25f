"""Rewards for veRL 0.9.

  reward.custom_reward_function.path=pkg://codescaler_rewards.verl_reward
  reward.custom_reward_function.name=compute_score_async      with reward.reward_manager.name=naive (the default)
  reward.custom_reward_function.name=compute_score            with naive or remote

The older `custom_reward_function.path` is accepted and ignored: veRL then uses its own scorer.

CODESCALER_URL and CODESCALER_TOKEN say where the codescaler servers are (README.md has all variables), or
`url`, `token` and `model` in `reward.custom_reward_function.reward_kwargs`. The problem is not among veRL's arguments:
it travels in `extra_info`, as "problem", "question" or "prompt" (a text, or the conversation); "language" there is the
language of the sample. Ground truths and data sources are not used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future

from codescaler_rewards import shared
from codescaler_rewards.conversations import problem_of, reply_of

PROBLEM_KEYS = ("problem", "question", "prompt")


def compute_score(
    data_source: object,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    url: str | None = None,
    token: str | None = None,
    model: str | None = None,
    **_: object,
) -> float:
    """The reward of one sample; calls that come together from several threads share a request."""
    return submitted(solution_str, extra_info, url, token, model).result()


async def compute_score_async(
    data_source: object,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    url: str | None = None,
    token: str | None = None,
    model: str | None = None,
    **_: object,
) -> float:
    """The same without a thread for each sample: veRL runs the other form in at most 32 threads a worker."""
    return await asyncio.wrap_future(submitted(solution_str, extra_info, url, token, model))


def submitted(
    solution: str, extra_info: Mapping[str, object] | None, url: str | None, token: str | None, model: str | None
) -> Future[float]:
    """One sample on its way. Raises ValueError where `extra_info` holds no problem."""
    info = extra_info or {}
    language = str(info.get("language") or "") or None
    return shared.gatherer(url, token, model).submit(problem_in(info), reply_of(solution), language)


def problem_in(info: Mapping[str, object]) -> str:
    """The problem among veRL's extra information. Raises ValueError where there is none."""
    for key in PROBLEM_KEYS:
        if info.get(key) is not None:
            return problem_of(info[key])
    keys = ", ".join(PROBLEM_KEYS)
    raise ValueError(f"extra_info must hold the problem, as one of {keys}. Add it when preparing the data.")
