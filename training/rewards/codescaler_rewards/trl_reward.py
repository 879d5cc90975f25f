"""Rewards for TRL's trainers (GRPO, RLOO).

  from codescaler_rewards.trl_reward import codescaler_reward
  trainer = GRPOTrainer(model=…, reward_funcs=codescaler_reward, train_dataset=…)

CODESCALER_URL and CODESCALER_TOKEN say where the codescaler servers are (README.md has all variables). A column
"language" of the dataset is the language of each sample; other columns are not used. Every process of the trainer asks
for its own share of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence

from codescaler_rewards import shared
from codescaler_rewards.conversations import problem_of, reply_of


def codescaler_reward(prompts: Sequence[object], completions: Sequence[object], **columns: object) -> list[float]:
    """Rewards in the order of the completions; prompts and completions are texts or conversations."""
    languages = columns.get("language")
    return shared.gatherer().client.rewards(
        [problem_of(prompt) for prompt in prompts],
        [reply_of(completion) for completion in completions],
        list(languages) if isinstance(languages, Sequence) and not isinstance(languages, str) else None,
    )
