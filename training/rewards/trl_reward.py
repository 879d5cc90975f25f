"""Rewards for TRL's trainers (GRPO, RLOO).

  from trl_reward import codescaler_reward
  trainer = GRPOTrainer(model=…, reward_funcs=codescaler_reward, train_dataset=…)

CODESCALER_URL and CODESCALER_TOKEN say where the codescaler servers are (client.py has all variables). A column
"language" of the dataset is the language of each sample; other columns are not used. Every process of the trainer asks
for its own share of the samples.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import Client  # noqa: E402
from conversations import problem_of, reply_of  # noqa: E402


@functools.cache
def client() -> Client:
    """One for the process, made with the first call, when the environment is complete."""
    return Client()


def codescaler_reward(prompts: Sequence[object], completions: Sequence[object], **columns: object) -> list[float]:
    """Rewards in the order of the completions; prompts and completions are texts or conversations."""
    languages = columns.get("language")
    return client().rewards(
        [problem_of(prompt) for prompt in prompts],
        [reply_of(completion) for completion in completions],
        list(languages) if isinstance(languages, Sequence) and not isinstance(languages, str) else None,
    )
