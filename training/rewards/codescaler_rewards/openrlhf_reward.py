"""Rewards for OpenRLHF 0.11, as a file that it loads.

  --reward.remote_url "$(codescaler-rewards path openrlhf)"

The older `--remote_rm_url` is refused. CODESCALER_URL and CODESCALER_TOKEN say where the codescaler servers are
(README.md has all variables); Ray's workers need both, and this package, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codescaler_rewards.openrlhf_rewards import chance, rewards_of
from codescaler_rewards.reward_client import INVALID


def reward_func(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[object], **_: object
) -> dict[str, Any]:
    """OpenRLHF's own form of a reward function: tensors by name.

    OpenRLHF calls it with one sample at a time, from several threads; such calls share a request.
    """
    import torch

    rewards = rewards_of(list(queries), list(prompts))
    invalid = sum(1 for reward in rewards if reward == INVALID) / max(len(rewards), 1)
    return {
        "rewards": torch.tensor(rewards),
        "scores": torch.tensor([chance(reward) for reward in rewards]),
        "extra_logs": {"codescaler_invalid": invalid},
    }
