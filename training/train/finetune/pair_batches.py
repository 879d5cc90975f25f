"""Preference pairs in batches: their order, and the tensors that a training step reads."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from training.parity.rendering import Renderer, TooLong
from training.train.finetune.preference_pairs import Pair

# Pairs of similar length stand together in a batch: this many batches are sorted at a time.
BUCKET = 32
# A target that no loss is computed for; the name that torch gives this number.
IGNORED = -100


@dataclass
class Batch:
    """Pairs as one padded tensor: the chosen rows first, then the rejected in the same order."""

    ids: Tensor
    last: Tensor
    """Next tokens of the chosen rows; IGNORED elsewhere."""
    targets: Tensor
    """1 for each pair, 0 for one that shortening made equal or impossible."""
    weight: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(tensor.to(device) for tensor in (self.ids, self.last, self.targets, self.weight)))


def collate(pairs: list[Pair], renderer: Renderer, with_targets: bool) -> Batch:
    """Renders pairs as the server renders what it scores."""
    rows: list[list[int]] = []
    weight = []
    for pair in pairs:
        try:
            chosen, rejected = (renderer.render(pair.conversation(text)).ids for text in (pair.chosen, pair.rejected))
        except TooLong:
            chosen = rejected = [0]
        weight.append(float(chosen != rejected))
        rows += [chosen, rejected]
    rows = rows[0::2] + rows[1::2]
    length = max(map(len, rows))
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    targets = torch.full_like(ids, IGNORED)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        if with_targets and i < len(pairs) and weight[i]:
            targets[i, : len(row) - 1] = ids[i, 1 : len(row)]
    return Batch(ids, torch.tensor([len(row) - 1 for row in rows]), targets, torch.tensor(weight))


def batches(pairs: list[Pair], size: int, seed: int, epoch: int) -> list[list[Pair]]:
    """An epoch's batches, a function of seed and epoch alone; what fills no batch waits for another epoch."""
    rng = random.Random(f"{seed}:{epoch}")
    order = rng.sample(pairs, len(pairs))
    span = size * BUCKET
    for start in range(0, len(order), span):
        order[start : start + span] = sorted(
            order[start : start + span], key=lambda p: len(p.problem) + max(len(p.chosen), len(p.rejected))
        )
    whole = [order[i : i + size] for i in range(0, len(order) - size + 1, size)]
    rng.shuffle(whole)
    return whole
