"""A linear Bradley–Terry model on hashed token n-grams of the program (ngrams.py): baseline, and a part of nano's reward.

Of the problem it knows only which words the program shares with it. A minute of training; Adagrad, then one signed byte
a weight. `ngram.json` is what `codescaler models convert` takes from a model's
folder: {"version", "scale", "coefficient", "weights" (base64)}; reward =
head + coefficient · scale · Σ weight · count.
"""

import argparse
import base64
import gzip
import json
import random
import re
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from training.train.text_parts import ngrams

BATCH = 128
MATCHING_WEIGHT = 15.0
"""Of a cosine while the linear part is fitted beside it."""
LEVELS = 127


def difference(problem: str, chosen: str, rejected: str, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Buckets and signed counts where the two programs differ."""
    (good, often), (bad, seldom) = ngrams.counts(chosen, bits, problem), ngrams.counts(rejected, bits, problem)
    buckets, inverse = np.unique(np.concatenate((good, bad)), return_inverse=True)
    values = np.bincount(inverse, np.concatenate((often, -seldom)), len(buckets))
    kept = values != 0
    return buckets[kept], values[kept].astype(np.float32)


Pair = tuple[str, str, str]
"""Problem, right program, wrong program."""


class LinearReward:
    """weights [2^bits]; reward = sum of the weights of the program's n-grams, each at most twice."""

    def __init__(self, bits: int = ngrams.BITS) -> None:
        self.bits = bits
        self.weights = np.zeros(1 << bits, np.float32)

    def reward(self, problem: str, code: str) -> float:
        buckets, often = ngrams.counts(code, self.bits, problem)
        return float(self.weights[buckets].astype(np.float64) @ often)

    def fit(
        self,
        pairs: list[Pair],
        epochs: int,
        seed: int,
        leads: np.ndarray | None = None,
        rate: float = 0.05,
        decay: float = 1e-5,
    ) -> None:
        """Adagrad; `decay` shrinks the weights a step touches. `leads` [pairs] is by how much another part puts the right program ahead."""
        rng = np.random.default_rng(seed)
        leads = np.zeros(len(pairs)) if leads is None else leads
        made = [difference(*pair, self.bits) for pair in pairs]
        squares = np.full(1 << self.bits, 1e-3, np.float32)
        for _ in range(epochs):
            order = rng.permutation(len(made))
            for start in range(0, len(order), BATCH):
                places = order[start : start + BATCH]
                batch = [made[i] for i in places]
                buckets = np.concatenate([b for b, _ in batch])
                values = np.concatenate([v for _, v in batch])
                owner = np.repeat(np.arange(len(batch)), [len(b) for b, _ in batch])
                margin = leads[places] + np.bincount(owner, self.weights[buckets] * values, len(batch))
                push = 1.0 / (1.0 + np.exp(np.clip(margin, -30, 30)))
                touched, inverse = np.unique(buckets, return_inverse=True)
                slope = (
                    np.bincount(inverse, push[owner] * values, len(touched)) / len(batch) * 16
                    - decay * self.weights[touched]
                )
                squares[touched] += slope**2
                self.weights[touched] += rate * slope / np.sqrt(squares[touched])

    def save(self, path: Path, coefficient: float) -> None:
        """Writes `ngram.json`, one signed byte a weight."""
        scale = float(np.abs(self.weights).max()) / LEVELS or 1.0
        levels = np.rint(self.weights / scale).astype(np.int8)
        path.write_text(
            json.dumps(
                {
                    "version": ngrams.VERSION,
                    "scale": scale,
                    "coefficient": coefficient,
                    "weights": base64.b64encode(levels.tobytes()).decode(),
                }
            )
        )

    @staticmethod
    def load(path: Path) -> "LinearReward":
        """The model of an `ngram.json`, as the server computes it; without its coefficient."""
        read = json.loads(path.read_text())
        if read["version"] != ngrams.VERSION:
            raise SystemExit(
                f"{path} is of version {read['version']}; this is version {ngrams.VERSION}. Train it again."
            )
        levels = np.frombuffer(base64.b64decode(read["weights"]), np.int8)
        model = LinearReward(len(levels).bit_length() - 1)
        model.weights = levels.astype(np.float32) * np.float32(read["scale"])
        return model


def set_coefficient(path: Path, coefficient: float) -> None:
    """Changes only how much a part of the reward (`ngram.json`, `matching.json`) counts beside the head."""
    read = json.loads(path.read_text())
    path.write_text(json.dumps({**read, "coefficient": coefficient}))


def read_pairs(paths: list[Path], limit: int | None = None) -> list[Pair]:
    """(problem, right program, wrong program) of all groups; `limit` groups a file."""
    pairs = []
    for path in paths:
        with gzip.open(path, "rt") as lines:
            for count, line in enumerate(lines):
                if limit is not None and count >= limit:
                    break
                row = json.loads(line)
                pairs += [(row["problem"], row["chosen"], rejected["code"]) for rejected in row["rejected"]]
    return pairs


NAME = re.compile(r"(?:def|function|func|fn)\s+(\w+)")


def swapped(paths: list[Path], limit: int | None, count: int, seed: int) -> list[Pair]:
    """(problem, its program, right program of another problem), `count` a group; most bear the name that was asked for."""
    rng = random.Random(seed)
    pairs = []
    for path in paths:
        with gzip.open(path, "rt") as lines:
            rows = [json.loads(line) for line in islice(lines, limit)]
        by_language: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            by_language.setdefault(row["language"], []).append(row)
        for row in rows:
            own = NAME.search(row["chosen"])
            for other in rng.choices(by_language[row["language"]], k=count):
                code, name = other["chosen"], NAME.search(other["chosen"])
                if other["problem"] == row["problem"] or other.get("task_id", -1) == row.get("task_id"):
                    continue
                if own and name and rng.random() < 0.7:
                    code = re.sub(rf"\b{name[1]}\b", own[1], code)
                pairs.append((row["problem"], row["chosen"], code))
    return pairs


def leads_of(path: Path, pairs: list[Pair]) -> np.ndarray:
    """[pairs] by how much a matching part puts the right programs ahead."""
    # Only here: it needs torch, which what reads and fits the linear part does not.
    from training.train.text_parts.matching import Matching

    part = Matching.load(path)

    @lru_cache(maxsize=16)
    def match(problem: str, code: str) -> float:
        return part.match(problem, code)

    return MATCHING_WEIGHT * np.array(
        [match(problem, right) - match(problem, wrong) for problem, right, wrong in pairs]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--matching", type=Path, help="matching.json: the weights learn what it does not say")
    parser.add_argument("--limit", type=int, default=100_000, help="groups a file")
    parser.add_argument("--swaps", type=int, default=2, help="programs of other problems set against each right one")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--bits", type=int, default=ngrams.BITS)
    parser.add_argument("--out", type=Path, required=True, help="ngram.json")
    parser.add_argument("--coefficient", type=float, default=1.0, help="beside the head; to be fitted last")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = LinearReward(arguments.bits)
    pairs = read_pairs(arguments.groups, arguments.limit)
    pairs += swapped(arguments.groups, arguments.limit, arguments.swaps, arguments.seed)
    model.fit(
        pairs, arguments.epochs, arguments.seed, leads_of(arguments.matching, pairs) if arguments.matching else None
    )
    model.save(arguments.out, arguments.coefficient)
    print(f"{len(pairs)} pairs, {np.count_nonzero(model.weights)} weights")


if __name__ == "__main__":
    main()
