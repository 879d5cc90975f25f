"""Seed problems: any JSON lines with a problem and, where there is one, a solution."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.data import json_lines, mbpp

PROBLEM_KEYS = ("problem", "question", "text", "prompt")
SOLUTION_KEYS = ("solution", "code", "chosen")


class UnusableSeeds(Exception):
    """The file holds no seed problems; the message is a sentence for people."""


def load(path: Path) -> list[dict[str, Any]]:
    """{"id", "problem", "solution"} of each line. Of MBPP only the training part is taken.

    Raises UnusableSeeds, and OSError when the file cannot be read.
    """
    try:
        rows = list(_rows(path))
    except ValueError as error:
        raise UnusableSeeds(str(error)) from None
    if not rows:
        raise UnusableSeeds(f"{path} holds no seed problems.")
    return rows


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(json_lines.read(path), 1):
        if "task_id" in row and "test_list" in row and row["task_id"] not in mbpp.TRAIN:
            continue
        problem = next((row[key] for key in PROBLEM_KEYS if isinstance(row.get(key), str)), None)
        if problem is None:
            raise ValueError(f"Line {number} of {path} has no problem, as one of {', '.join(PROBLEM_KEYS)}.")
        solution = next((row[key] for key in SOLUTION_KEYS if isinstance(row.get(key), str)), "")
        yield {"id": f"seed-{number}", "problem": problem.strip(), "solution": solution.replace("\r\n", "\n")}
