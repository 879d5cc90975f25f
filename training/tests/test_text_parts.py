"""The linear part: the values that the server must reach too, and that it learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.train.text_parts import ngrams
from training.train.text_parts.linear import LinearReward, set_coefficient

FIXTURE = json.loads((Path(__file__).resolve().parents[2] / "test/fixtures/ngram/values.json").read_text())


@pytest.mark.parametrize("bits", [8, 18])
def test_features_have_the_values_that_the_server_is_held_to(bits: int) -> None:
    assert FIXTURE["version"] == ngrams.VERSION
    weights = ((np.arange(1 << bits, dtype=np.uint64) * 2654435761 & 0xFFFFFFFF) >> 24).astype(np.int64) - 128
    for record in FIXTURE["values"]:
        if record["bits"] == bits:
            buckets, often = ngrams.counts(record["program"], bits, record["problem"])
            value = FIXTURE["scale"] * float(weights[buckets].astype(float) @ often)
            assert value == pytest.approx(record["value"], abs=1e-9), record["name"]


def test_the_linear_reward_learns_a_preference_and_survives_its_file(tmp_path: Path) -> None:
    pairs = [(f"Add {n}.", f"def f(a):\n    return a + {n}", f"def f(a):\n    return a - {n}") for n in range(200)]
    reward = LinearReward(bits=12)
    reward.fit(pairs, 2, 1)
    path = tmp_path / "ngram.json"
    reward.save(path, 1.5)
    loaded = LinearReward.load(path)
    problem, right, wrong = "Add 777.", "def g(b):\n    return b + 777", "def g(b):\n    return b - 777"
    for one in (reward, loaded):
        assert one.reward(problem, right) > one.reward(problem, wrong)
    set_coefficient(path, 0.25)
    assert json.loads(path.read_text())["coefficient"] == 0.25
    assert LinearReward.load(path).reward(problem, right) == loaded.reward(problem, right)
