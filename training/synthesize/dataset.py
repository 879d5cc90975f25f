"""The finished set: which problems are in it, and its rows in the columns that veRL, OpenRLHF and TRL read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from training.data import json_lines
from training.synthesize.journal import Row
from training.synthesize.scoring import difficulties
from training.synthesize.stages import LANGUAGE, SOLVE

SOURCE = "codescaler-synthetic"


@dataclass(frozen=True)
class Limits:
    """What a problem needs to be in the set."""

    valid: float
    """Least share of solutions with a valid program."""
    margin: float
    """Least distance of the best score to the median of the valid ones: below it no reward tells solutions apart."""
    agreement: float
    """Greatest share of solutions with the same program: above it the policy has nothing to learn."""


def refusal(facts: Row, limits: Limits) -> str | None:
    """Why a problem is left out, or None."""
    if facts["best"] is None or facts["valid"] < limits.valid:
        return "few valid solutions"
    if facts["margin"] < limits.margin:
        return "no margin"
    if facts["agreement"] > limits.agreement:
        return "always the same solution"
    return None


def rows(problems: list[Row], results: list[Row], limits: Limits) -> tuple[list[Row], dict[str, int]]:
    """The rows of the set, and how many problems were left out for each reason."""
    levels = difficulties([result["facts"]["spread"] for result in results])
    refused: dict[str, int] = {}
    made: list[Row] = []
    for problem, result, level in zip(problems, results, levels, strict=True):
        reason = refusal(result["facts"], limits)
        if reason is None:
            made.append(row(problem, result, level, len(made)))
        else:
            refused[reason] = refused.get(reason, 0) + 1
    return made, refused


def row(problem: Row, result: Row, level: str, index: int) -> Row:
    """One problem. `best` is the solution that the judge likes most: no test has run, it may be wrong."""
    scores = [s for s in result["solutions"] if s["score"] is not None]
    best = max(scores, key=lambda solution: float(solution["score"]))
    return {
        "id": problem["id"],
        "prompt": [{"role": "user", "content": SOLVE.format(problem=problem["problem"])}],
        "problem": problem["problem"],
        "language": LANGUAGE,
        "concepts": problem["concepts"],
        "difficulty": level,
        "best": best["code"],
        "judge": result["judge"],
        "facts": result["facts"],
        # What veRL wants beside the prompt; its `extra_info` brings the problem to the reward function.
        "data_source": SOURCE,
        "ability": "code",
        "reward_model": {"style": "model", "ground_truth": ""},
        "extra_info": {"index": index, "problem": problem["problem"], "language": LANGUAGE},
        # OpenRLHF's label; rewards need none.
        "label": "",
    }


def write(folder: Path, made: list[Row]) -> Iterator[Path]:
    """set.jsonl and set.parquet, the same rows."""
    json_lines.write(folder / "set.jsonl", made)
    yield folder / "set.jsonl"
    temporary = folder / "set.parquet.part"
    pq.write_table(pa.Table.from_pylist(made), temporary)
    temporary.replace(folder / "set.parquet")
    yield folder / "set.parquet"
