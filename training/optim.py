"""Optimisers and schedule shared by both stages, and checkpoints that survive a kill."""

import os
from pathlib import Path

import torch
from torch import nn


def optimisers(model: nn.Module, matrix_rate: float, other_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for embedding, norms and head.

    Muon reaches the same loss in clearly fewer tokens at this size, and its
    Newton–Schulz steps cost little where matrices are small.
    """
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        (matrices if parameter.dim() == 2 and ".layers." in name else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=matrix_rate, weight_decay=0.05, momentum=0.95),
        torch.optim.AdamW(others, lr=other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def rate(step: int, steps: int, warmup: int = 40, decay: float = 0.25) -> float:
    """Warm-up, constant, linear decay to 2 %: a run can be prolonged from its constant part."""
    if step < warmup:
        return (step + 1) / warmup
    left = (steps - step) / max(1.0, decay * steps)
    return max(0.02, min(1.0, left))


def set_base(found: list[torch.optim.Optimizer], matrix_rate: float, other_rate: float) -> None:
    """Full rates after a checkpoint was loaded, which brings its own."""
    for optimiser, value in zip(found, (matrix_rate, other_rate), strict=True):
        for group in optimiser.param_groups:
            group["base_lr"] = value


def set_rate(found: list[torch.optim.Optimizer], factor: float) -> None:
    for optimiser in found:
        for group in optimiser.param_groups:
            group.setdefault("base_lr", group["lr"])
            group["lr"] = group["base_lr"] * factor


def save(path: Path, state: dict[str, object]) -> None:
    """Written beside and renamed, so that a kill leaves the last whole checkpoint."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


def use_threads(count: int) -> None:
    torch.set_num_threads(count)
    torch.set_flush_denormal(True)
