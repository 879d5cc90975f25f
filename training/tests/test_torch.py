"""What needs torch, which the tests of `npm test` go without."""

from __future__ import annotations

import numpy as np
import pytest

from training.tests.examples import group_of
from training.train import packing

torch = pytest.importorskip("torch", reason="torch is not installed")


def test_packed_rewards_equal_single_ones() -> None:
    from training.train.model import RewardModel, Shape

    torch.manual_seed(0)
    model = RewardModel(Shape(hidden=64, layers=2, heads=2, kv_heads=1, head_dim=32, feed_forward=96))
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.2)
    group = group_of(np.random.default_rng(0), 90, (5, 40, 89))
    row = packing.pack([group, packing.Group(group.chosen[20:], [group.chosen[20:60]], [0.0])])
    mask = torch.from_numpy(packing.mask(row.start[None], row.base[None], row.shared[None])[:, None])
    with torch.no_grad():
        states = model.model(torch.from_numpy(row.ids[None]), torch.from_numpy(row.positions[None]), mask)
        packed = model.rewards(states)[0]
        for place, ids in enumerate(group.rejected):
            alone = model.rewards(model.model(torch.from_numpy(ids[None])))[0, -1]
            assert float(packed[row.bad[place]]) == pytest.approx(float(alone), abs=1e-4)


@pytest.mark.parametrize("shape", [(48, 96), (96, 48)])
def test_muon_goes_where_torchs_goes_up_to_the_rounding_of_its_bfloat16(shape: tuple[int, int]) -> None:
    from training.train.optim import Muon

    torch.manual_seed(1)
    start = torch.randn(shape)
    ours, theirs = torch.nn.Parameter(torch.zeros(shape)), torch.nn.Parameter(torch.zeros(shape))
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.05, momentum=0.95)
    for matrix, optimiser in ((ours, Muon([ours], 0.02, 0.05, 0.95)), (theirs, reference)):
        for step in range(1, 4):
            matrix.grad = start * step + start.flip(0)
            optimiser.step()
    with torch.no_grad():
        assert float((ours - theirs).norm() / theirs.norm()) < 0.03
