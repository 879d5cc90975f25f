"""Rewards for veRL.

  custom_reward_function.path=/path/to/training/rewards/verl.py
  custom_reward_function.name=compute_score_batch    reward_model.reward_manager=batch     a whole batch in one call
  custom_reward_function.name=compute_score          reward_model.reward_manager=naive     a sample in a call

CODESCALER_URL and CODESCALER_TOKEN say where the codescaler servers are (client.py has all variables). The problem is
not among veRL's arguments: it travels in `extra_info`, as "problem", "question" or "prompt" (a text, or the
conversation); "language" there is the language of the sample. Ground truths and data sources are not used.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# veRL loads this file by its path.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import Client  # noqa: E402
from conversations import problem_of, reply_of  # noqa: E402

PROBLEM_KEYS = ("problem", "question", "prompt")


@functools.cache
def client() -> Client:
    """One for the process, made with the first call, when the environment is complete."""
    return Client()


def compute_score_batch(
    data_sources: Sequence[object],
    solution_strs: Sequence[str],
    ground_truths: Sequence[object],
    extra_infos: Sequence[Mapping | None],
    **_: object,
) -> list[float]:
    """Rewards of a batch, in order. Raises ValueError where an extra_info holds no problem."""
    infos = list(extra_infos)
    problems = [problem_in(info) for info in infos]
    languages = [str((info or {}).get("language") or "") or None for info in infos]
    return client().rewards(problems, [reply_of(text) for text in solution_strs], languages)


def compute_score(data_source: object, solution_str: str, ground_truth: object, extra_info: Mapping | None = None, **_: object) -> float:
    """The reward of one sample. The batch form is faster: what samples of a problem share is then read once."""
    return compute_score_batch([data_source], [solution_str], [ground_truth], [extra_info])[0]


def problem_in(info: Mapping | None) -> str:
    for key in PROBLEM_KEYS:
        if info is not None and info.get(key) is not None:
            return problem_of(info[key])
    raise ValueError(f"extra_info must hold the problem, as one of {', '.join(PROBLEM_KEYS)}. Add it when preparing the data.")
