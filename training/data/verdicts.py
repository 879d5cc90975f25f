"""Runs the tests on sampled programs: from samples to the judged problems that `codescaler eval best-of-n` reads.

    python -m training.data.verdicts samples.jsonl --mbpp mbpp.jsonl --split test --out mbpp-test.jsonl.gz

Each line: {"id", "task": {"question"}, "language", "samples": [{"text", "passed", "logprobs"?: {"sum", "tokens"}}]}.
The text stays what the model wrote; what runs is the program that is found in it. A sample passes when all of its
problem's tests do. Equal programs run once.
"""

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from training.data import json_lines, mbpp

SPLITS = {"test": mbpp.TEST, "train": range(mbpp.VALIDATION.start, mbpp.TRAIN.stop)}
"""`train` is for choosing and fitting: validation and training problems of MBPP's own split."""
FENCED = re.compile(r"^[ \t]*```[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
PROGRAM_SECONDS = 2.0


def program(reply: str) -> str:
    """The first fenced block of a reply, closed or cut off; without one, all of it up to a closing fence."""
    found = FENCED.search(reply)
    if found and reply[: found.start()].strip() and "def " in reply[: found.start()]:
        found = None  # a reply that began inside a fence: what follows its end is explanation
    return found[1] if found else reply.split("```")[0]


def judged(item: mbpp.Problem, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """One problem with its samples and their verdicts; `samples` are lines of samples.py."""
    programs = [program(sample["text"]) for sample in samples]
    unique = list(dict.fromkeys(programs))
    counts = dict(zip(unique, mbpp.run_tests(item, unique, PROGRAM_SECONDS), strict=True))
    rows = []
    for sample, code in zip(samples, programs, strict=True):
        row = {"text": sample["text"], "passed": counts[code] == len(item.tests)}
        if "logprobs" in sample:
            row["logprobs"] = sample["logprobs"]
        rows.append(row)
    return {
        "id": f"mbpp-{item.task_id}",
        "task": {"question": samples[0]["question"]},
        "language": "python",
        "samples": rows,
    }


def judged_problems(items: Iterable[mbpp.Problem], rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The judged problems among `items`, in the order of their numbers."""
    by_problem: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_problem.setdefault(row["id"], []).append(row)
    for item in items:
        if item.task_id in by_problem:
            yield judged(item, sorted(by_problem[item.task_id], key=lambda row: row["sample"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--split", choices=sorted(SPLITS), required=True)
    parser.add_argument("--limit", type=int, help="problems at most")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = list(json_lines.read(arguments.samples))
    sampled = {row["id"] for row in rows}
    items = [item for item in mbpp.load(arguments.mbpp, SPLITS[arguments.split]) if item.task_id in sampled]
    problems = list(judged_problems(items[: arguments.limit], rows))
    json_lines.write(arguments.out, problems)
    passed = [[sample["passed"] for sample in problem["samples"]] for problem in problems]
    if problems:
        mean = sum(sum(p) / len(p) for p in passed) / len(passed)
        print(f"{len(problems)} problems; right: {mean:.3f} of the samples, {sum(map(any, passed))} problems have one")


if __name__ == "__main__":
    main()
