"""How scores follow verdicts: figures that can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.evaluate.correlation import LOWEST, auc, correlate, interval, ranks, recorded, signals_of, spearman


def test_equal_values_share_their_rank() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


@pytest.mark.parametrize(
    ("scores", "area", "correlation"),
    [
        ([1, 2, 3, 4], 1.0, 0.894),
        ([4, 3, 2, 1], 0.0, -0.894),
        ([1, 1, 1, 1], 0.5, 0.0),
        ([1, 3, 2, 4], 0.75, 0.447),
        ([1, 2, 2, 4], 0.875, 0.707),
    ],
)
def test_auc_and_rank_correlation(scores: list[float], area: float, correlation: float) -> None:
    passed = np.array([False, False, True, True])
    assert auc(np.array(scores, float), passed) == pytest.approx(area)
    assert spearman(np.array(scores, float), passed) == pytest.approx(correlation, abs=1e-3)


def test_only_problems_with_both_verdicts_count() -> None:
    problems = [
        ({"reward": [1.0, 2.0]}, [False, True]),
        ({"reward": [1.0, 2.0]}, [True, True]),
        ({"reward": [5.0, 4.0]}, [False, True]),
    ]
    figures = correlate(problems)["reward"]
    assert (figures["problems"], figures["auc"], figures["above_half"]) == (2, 0.5, 0.5)
    assert figures["pooled_auc"] == pytest.approx(0.5)
    assert correlate([({"reward": [1.0]}, [True])]) == {}


def test_signals_reach_duplicates_and_an_invalid_sample_is_last() -> None:
    ranking = {
        "candidates": [
            {
                "id": "2",
                "duplicates": ["0"],
                "valid": True,
                "code": "abc",
                "reward": 1.5,
                "signals": {"agreement": 0.5},
            },
            {"id": "1", "duplicates": [], "valid": False, "code": "", "reward": None, "signals": {"agreement": 0.25}},
        ]
    }
    assert signals_of(ranking, 3) == {
        "reward": [1.5, LOWEST, 1.5], "agreement": [0.5, LOWEST, 0.5], "length": [3.0, LOWEST, 3.0],
    }  # fmt: skip


def test_an_interval_holds_the_mean_and_narrows_with_more_problems() -> None:
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 500
    assert interval(few)[0] < 0.5 < interval(few)[1]
    assert interval(many)[1] - interval(many)[0] < interval(few)[1] - interval(few)[0]


def test_recorded_scores_are_compared_with_the_verdicts(tmp_path: Path) -> None:
    rows = [{"id": "a", "samples": [{"passed": False}, {"passed": True}]}]
    path = tmp_path / "scores.jsonl"
    lines = [{"id": "a", "signal": "x", "values": [None, 0.5]}, {"id": "a", "signal": "y", "values": [2, 1]}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    figures = correlate(recorded([path], rows))
    assert (figures["x"]["auc"], figures["y"]["auc"]) == (1.0, 0.0)
    path.write_text(json.dumps({"id": "a", "signal": "x", "values": [1]}) + "\n")
    with pytest.raises(ValueError, match="not as many scores of x"):
        recorded([path], rows)
