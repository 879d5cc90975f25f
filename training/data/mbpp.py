"""MBPP: problems, splits, and running programs against their tests."""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

from training.data import isolated_tests, prompts

TEST = range(11, 511)
VALIDATION = range(511, 601)
TRAIN = range(601, 975)


@dataclass(frozen=True)
class Problem:
    task_id: int
    text: str
    code: str
    tests: tuple[str, ...]
    setup: str

    def asked_name(self) -> str:
        """The function the tests call."""
        called = set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", " ".join(self.tests)))
        return next((name for name in re.findall(r"def (\w+)", self.code) if name in called), "")

    def question(self, rng: random.Random) -> str:
        """The task as text alone, or with one or all of its tests, as users of MBPP pose it; or as the editor asks."""
        style = rng.random()
        if style < 0.4:
            return self.text
        if style < 0.6:
            return f"{self.text}\n{self.tests[0]}"
        if style < 0.8:
            name = self.asked_name()
            head = re.search(rf"^def {name}\(.*$", self.code, re.M)
            return prompts.at_cursor(rng, "python", name, self.text, head[0] if head else "")
        return f"{self.text}\nYour code should pass these tests:\n" + "\n".join(self.tests)


def load(path: Path, ids: range) -> list[Problem]:
    problems = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["task_id"] in ids:
            code = row["code"].replace("\r\n", "\n").expandtabs(4)
            code = "\n".join(part.rstrip() for part in code.split("\n")).strip("\n")
            problems.append(Problem(row["task_id"], row["text"], code, tuple(row["test_list"]), row["test_setup_code"]))
    return problems


def run_tests(item: Problem, programs: list[str], seconds: float = 1.0) -> list[int]:
    """For each program, how many of the problem's tests pass."""
    return isolated_tests.count_passed(programs, item.tests, item.setup, seconds)
