"""Preference pairs from files: the Themis columns, our groups, and what the editor exports.

A row is one JSON object a line (`.jsonl`, `.jsonl.gz`) or one row of a `.parquet` file:

  Themis:  {"system"?, "input", "chosen", "rejected", …}            one pair
  ours:    {"problem", "chosen", "rejected": [{"code"}, …], …}      one pair for each rejected program

Other columns are ignored, but `--where COLUMN=VALUE` can choose by them. Texts are taken as they are; programs inside
Markdown are found by `codescaler extract --jsonl` beforehand.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class UnusablePairs(Exception):
    """A file of pairs cannot be used; the message is a sentence for people."""


@dataclass(frozen=True)
class Pair:
    """Two answers to one problem; `system` is the wording of a criterion, empty for general quality."""

    system: str
    problem: str
    chosen: str
    rejected: str

    def conversation(self, answer: str) -> list[dict[str, str]]:
        turns = [{"role": "user", "content": self.problem}, {"role": "assistant", "content": answer}]
        return [{"role": "system", "content": self.system}, *turns] if self.system else turns


def read(paths: list[Path], where: dict[str, str], negatives: int, seed: int, keep_system: bool) -> list[Pair]:
    """All pairs of the files in their order, without repetitions and without pairs of equal answers.

    `negatives` bounds the pairs of one group; which ones are taken depends on the seed and the group alone.
    """
    pairs: dict[Pair, None] = {}
    for path in paths:
        for number, row in enumerate(rows(path), 1):
            if any(str(row.get(column)) != value for column, value in where.items()):
                continue
            try:
                found = pairs_of(row, negatives, seed)
            except (KeyError, TypeError, ValueError):
                raise UnusablePairs(
                    f"Row {number} of {path} is no preference pair. It needs the texts input, chosen and rejected, "
                    'or problem, chosen and a list rejected of {"code"}.'
                ) from None
            for pair in found:
                if pair.chosen != pair.rejected:
                    pairs[pair if keep_system else Pair("", pair.problem, pair.chosen, pair.rejected)] = None
    if not pairs:
        raise UnusablePairs("The files hold no preference pairs that fit. Look at --where and at the files.")
    return list(pairs)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of one file."""
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet
        except ImportError:
            raise UnusablePairs(f"Reading {path} needs pyarrow: pip install pyarrow.") from None
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
        return
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise UnusablePairs(f"Line {number} of {path} is no JSON object.")
                    yield row
    except FileNotFoundError:
        raise UnusablePairs(f"There is no file {path}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, gzip.BadGzipFile):
        raise UnusablePairs(f"{path} is no file of JSON lines (.jsonl, .jsonl.gz) and no .parquet file.") from None


def pairs_of(row: dict[str, Any], negatives: int, seed: int) -> list[Pair]:
    """The pairs of one row. Raises KeyError, TypeError or ValueError where it has another shape."""
    problem = row["problem"] if "problem" in row else row["input"]
    system = row.get("system") or ""
    rejected = row["rejected"]
    codes = [rejected] if isinstance(rejected, str) else [one["code"] for one in rejected]
    if not all(isinstance(text, str) for text in (problem, system, row["chosen"], *codes)):
        raise TypeError
    if len(codes) > negatives:
        codes = random.Random(f"{seed}:{problem}:{row['chosen']}").sample(codes, negatives)
    return [Pair(system, problem, row["chosen"], code) for code in codes]


def split(pairs: list[Pair], fraction: float) -> tuple[list[Pair], list[Pair]]:
    """(training, validation): a problem is on one side with all its pairs, chosen by its hash alone."""

    def held_out(pair: Pair) -> bool:
        digest = hashlib.sha256(pair.problem.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") < fraction * 2**64

    validation = [pair for pair in pairs if held_out(pair)]
    return [pair for pair in pairs if not held_out(pair)], validation


def fingerprint(pairs: list[Pair]) -> str:
    """Changes when any pair or their order does; a run resumes only on the data it began with."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(json.dumps([pair.system, pair.problem, pair.chosen, pair.rejected]).encode())
    return digest.hexdigest()[:16]
