"""What replies are worth to the tests, and the figures of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.reinforce import tasks
from training.reinforce.outcome import shares_of, summary, training_of
from training.tests.test_programs import ITEM

RIGHT = "```python\ndef sq(x):\n    return x * x\n```"
WRONG = "Here:\n```python\ndef sq(x):\n    return x + x\n```\n"


@pytest.mark.parametrize(
    ("reply", "worth"),
    [(RIGHT, 1.0), (WRONG, 0.0), (RIGHT + RIGHT, 0.0), ("def sq(x): return x * x", 0.0), (RIGHT[:-3], 0.0), ("", 0.0)],
)
def test_only_one_whole_block_that_passes_is_worth_something(reply: str, worth: float) -> None:
    assert tasks.verdicts(ITEM, [reply]) == [worth]


def test_shares_and_paired_gains() -> None:
    assert shares_of(ITEM, [RIGHT, WRONG, "No.", RIGHT]) == (0.5, 0.75)
    figures = summary([(1.0, 1.0), (0.5, 1.0)], [(0.5, 0.5), (0.0, 0.5)])
    assert (figures["pass@1"], figures["valid"], figures["gain"]) == (0.75, 1.0, 0.5)
    assert figures["gain_interval"] == (0.5, 0.5)


def test_the_replies_of_a_training_are_tested_afterwards(tmp_path: Path) -> None:
    rows = [{"task_id": 1, "text": RIGHT if n % 2 else WRONG, "reward": float(n)} for n in range(8)]
    (tmp_path / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts = training_of(tmp_path, {1: ITEM}, parts=2)
    assert [part["reward"] for part in parts] == [1.5, 5.5]
    assert [part["passed"] for part in parts] == [0.5, 0.5]
    assert parts[0]["auc"] == pytest.approx(0.75)
