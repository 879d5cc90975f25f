"""What a signal picks, how a fitted sum decides, and tasks cut from real functions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data import cursor_samples, cursor_tasks, json_lines
from training.evaluate import judges
from training.evaluate.judged_problems import JudgedProblem, describe, load, normal_form, without_comments
from training.evaluate.picks import best, estimate, pairwise
from training.train import combination

RIGHT = "def f(a):\n    # adds\n    return a + 1"
WRONG = 'def f(a):\n    """Text."""\n    return a'


def judged(number: int, *passed: bool, tokens: int = 4) -> dict[str, Any]:
    samples = [
        {"text": RIGHT if ok else WRONG, "passed": ok, "logprobs": {"sum": -1.0 if ok else -2.0, "tokens": tokens}}
        for ok in passed
    ]
    return {"id": f"p{number}", "task": {"question": "Add one."}, "language": "python", "samples": samples}


def problem(passed: list[bool], **signals: list[float]) -> JudgedProblem:
    given = {name: np.array(values, dtype=np.float64) for name, values in signals.items()}
    return JudgedProblem("p", np.array(passed), np.ones(len(passed), dtype=bool), given)


def test_comments_documentation_and_layout_do_not_tell_programs_apart() -> None:
    assert without_comments('def f(a):\n    """Doc."""\n\n    x = "# no"  # yes\n    return x') == (
        'def f(a):\n    x = "# no"\n    return x'
    )
    assert normal_form("def f( a ):\n    return a # x") == normal_form("def f(a):\n\n    return a")
    assert normal_form("def f(a):\n    return a") != normal_form("def f(b):\n    return b")
    assert normal_form("def f(") is None


def test_a_function_of_documentation_alone_keeps_it() -> None:
    assert normal_form('def f():\n    """Doc."""') is not None


def test_samples_agree_by_their_program_and_carry_the_writers_mean() -> None:
    described = describe(judged(1, True, True, False, True))
    assert described.signals["agreement"].tolist() == [0.75, 0.75, 0.25, 0.75]
    assert described.signals["writer"].tolist() == [-0.25, -0.25, -0.5, -0.25]


def test_a_sample_that_does_not_parse_is_never_first() -> None:
    row = judged(1, True, False)
    row["samples"][1]["text"] = "def f("
    described = describe(row)
    assert best(described, np.array([0.0, 9.0])) == 1.0
    assert pairwise(described, np.array([0.0, 9.0])) == 1.0


def test_completions_at_a_cursor_agree_in_their_block() -> None:
    texts = ["b = a\n    return b", "b = a  # same\n    return b", "return ("]
    samples = [{"text": text, "passed": True} for text in texts]
    described = describe({"id": "c", "task": {"prefix": "def f(a):\n    ", "suffix": "\n"}, "samples": samples})
    assert described.valid.tolist() == [True, True, False]
    assert described.signals["agreement"] == pytest.approx([2 / 3, 2 / 3, 0])


def test_equal_values_share_the_first_place() -> None:
    assert best(problem([True, False, True]), np.array([1.0, 1.0, 0.0])) == 0.5
    assert pairwise(problem([True, False]), np.array([1.0, 1.0])) == 0.5
    assert np.isnan(pairwise(problem([True, True]), np.array([1.0, 2.0])))


def test_an_interval_holds_its_mean_and_leaves_out_what_has_no_value() -> None:
    estimated = estimate([0.0, 1.0, float("nan"), 1.0])
    assert estimated.value == pytest.approx(2 / 3)
    assert estimated.low < estimated.value < estimated.high


def noisy(count: int) -> list[JudgedProblem]:
    """Problems where one signal says which samples are right, with noise, and one says nothing."""
    rng = np.random.default_rng(1)
    problems = []
    for _ in range(count):
        passed = rng.random(8) < 0.5
        signal = passed + rng.normal(0, 0.7, 8) + rng.normal(0, 5)
        problems.append(problem(passed.tolist(), telling=signal.tolist(), noise=rng.normal(0, 1, 8).tolist()))
    return problems


def test_the_fit_finds_the_signal_that_tells() -> None:
    telling, noise = combination.fit(noisy(80), ["telling", "noise"])
    assert telling > 1
    assert abs(noise) < 0.2 * telling


def test_held_out_values_come_from_weights_that_did_not_see_the_problem() -> None:
    problems = noisy(40)
    values = combination.held_out(problems, ["telling", "noise"])
    accuracy = np.nanmean([pairwise(item, value) for item, value in zip(problems, values, strict=True)])
    assert accuracy > 0.8
    flipped = [
        problem((~item.passed).tolist(), **{k: v.tolist() for k, v in item.signals.items()}) for item in problems
    ]
    changed = combination.held_out([flipped[0], *problems[1:]], ["telling", "noise"])
    assert changed[0] == pytest.approx(values[0])


def test_a_fit_needs_right_and_wrong_samples() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        combination.fit([problem([True, True], a=[1.0, 2.0])], ["a"])


def test_the_table_compares_signals_on_the_problems_that_all_of_them_have(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, scores = tmp_path / "judged.jsonl.gz", tmp_path / "scores.jsonl"
    json_lines.write(path, [judged(n, True, False, False, n % 2 == 0) for n in range(12)])
    values = [{"id": f"p{n}", "signal": "likelihood", "values": [-0.1, -0.2, -0.3, -0.05]} for n in range(10)]
    json_lines.write(scores, values)
    given = ["judges", str(path), "--scores", str(scores), "--combine", "likelihood,agreement", "--fit", str(path)]
    monkeypatch.setattr(sys, "argv", [*given, "--fit-scores", str(scores)])
    judges.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "10 problems of 4 samples, 10 with right and wrong ones."
    assert any(line.startswith("| likelihood | 0.500 |") for line in lines)
    assert any("· likelihood + " in line and "· agreement | 1.000 |" in line for line in lines)


def test_scores_of_another_set_are_refused(tmp_path: Path) -> None:
    path, scores = tmp_path / "judged.jsonl", tmp_path / "scores.jsonl"
    json_lines.write(path, [judged(1, True, False)])
    json_lines.write(scores, [{"id": "p1", "signal": "likelihood", "values": [1.0]}])
    with pytest.raises(ValueError, match="p1 has 1 values for 2"):
        load(path, [scores])


MODULE = '''from .helpers import one


def increased(a):
    """Adds one.

    >>> increased(1)
    2
    """
    b = a + one
    return b


def broken(a):
    """
    >>> broken(1)
    3
    """
    b = a
    return b


def silent(a):
    b = a
    return b
'''


def test_functions_whose_examples_judge_them_become_tasks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    package = tmp_path / "wheel" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "helpers.py").write_text("one = 1\n")
    (package / "module.py").write_text(MODULE)
    out = tmp_path / "tasks.jsonl"
    monkeypatch.setattr(sys, "argv", ["cursor_tasks", str(tmp_path / "wheel"), "--out", str(out)])
    cursor_tasks.main()
    assert capsys.readouterr().out == "1 tasks\n"
    (row,) = json_lines.read(out)
    task = cursor_tasks.Task(**row)
    assert task.id == "package/module.py:increased"
    assert task.prefix + task.original + task.suffix == MODULE
    assert cursor_tasks.doctests_pass(task, [task.original, "return a + 1", "return a", "return ("]) == [
        True,
        True,
        False,
        False,
    ]
    samples = cursor_samples.judged(task, ["return a + 1", task.original, "", "return a", "return a + 1"])["samples"]
    assert [sample["passed"] for sample in samples] == [True, True, False, False, True]


def test_a_completion_ends_where_its_block_does() -> None:
    assert cursor_samples.indentation("def f(a):\n    if a:\n        ") == 8
    assert cursor_samples.within_block("a = 1\n\n        return a\n    return 2\n", 8) == "a = 1\n\n        return a"
    assert cursor_samples.within_block("return 1", 4) == "return 1"
