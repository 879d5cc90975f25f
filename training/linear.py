"""The baseline to beat: a linear Bradley–Terry model on hashed token n-grams of the program.

It never sees the problem. One minute of training; Adagrad on 2²⁰ weights.
"""

import argparse
import gzip
import json
import re
import zlib
from pathlib import Path

import numpy as np

BITS = 20
ORDERS = (1, 2, 3, 4)
BATCH = 128
TOKEN = re.compile(r"\n[ \t]*|[A-Za-z_]\w*|\d+|[^\sA-Za-z0-9_]")


def features(code: str) -> np.ndarray:
    """Bucket numbers of all n-grams of the program; line starts carry their indentation."""
    tokens = TOKEN.findall("\n" + code) + ["<end>"]
    ids = np.array([zlib.crc32(token.encode("utf-8", "replace")) for token in tokens], np.uint64)
    found = []
    for order in ORDERS:
        if len(ids) >= order:
            mixed = np.full(len(ids) - order + 1, order, np.uint64)
            for k in range(order):
                mixed = (mixed * np.uint64(0x9E3779B97F4A7C15)) ^ (ids[k : len(ids) - order + 1 + k] + np.uint64(k))
            mixed *= np.uint64(0x9E3779B97F4A7C15)
            found.append((mixed >> np.uint64(64 - BITS)).astype(np.int64))
    return np.concatenate(found)


def difference(chosen: str, rejected: str) -> tuple[np.ndarray, np.ndarray]:
    """Buckets and signed counts where the two programs differ."""
    good, bad = features(chosen), features(rejected)
    buckets, inverse = np.unique(np.concatenate((good, bad)), return_inverse=True)
    counts = np.bincount(inverse, np.concatenate((np.ones(len(good)), -np.ones(len(bad)))), len(buckets))
    kept = counts != 0
    return buckets[kept], np.clip(counts[kept], -2, 2).astype(np.float32)


class LinearReward:
    """weights[2^BITS]; reward = sum of the weights of the program's n-grams."""

    def __init__(self) -> None:
        self.weights = np.zeros(1 << BITS, np.float32)

    def reward(self, code: str) -> float:
        buckets, counts = np.unique(features(code), return_counts=True)
        return float((self.weights[buckets] * np.minimum(counts, 2)).sum())

    def fit(self, pairs: list[tuple[str, str]], epochs: int, seed: int, rate: float = 0.05, decay: float = 1e-5) -> None:
        """Adagrad over the pairs (chosen, rejected); `decay` shrinks the weights a step touches."""
        rng = np.random.default_rng(seed)
        made = [difference(*pair) for pair in pairs]
        squares = np.full(1 << BITS, 1e-3, np.float32)
        for _ in range(epochs):
            order = rng.permutation(len(made))
            for start in range(0, len(order), BATCH):
                batch = [made[i] for i in order[start : start + BATCH]]
                lengths = np.array([len(buckets) for buckets, _ in batch])
                buckets = np.concatenate([b for b, _ in batch])
                values = np.concatenate([v for _, v in batch])
                owner = np.repeat(np.arange(len(batch)), lengths)
                margin = np.bincount(owner, self.weights[buckets] * values, len(batch))
                push = 1.0 / (1.0 + np.exp(np.clip(margin, -30, 30)))
                gradient = np.bincount(buckets, push[owner] * values, 1 << BITS) if len(buckets) > 1 << 18 else None
                touched, inverse = np.unique(buckets, return_inverse=True)
                slope = (gradient[touched] if gradient is not None else np.bincount(inverse, push[owner] * values, len(touched)))
                slope = slope / len(batch) * 16 - decay * self.weights[touched]
                squares[touched] += slope**2
                self.weights[touched] += rate * slope / np.sqrt(squares[touched])


def read_pairs(paths: list[Path], limit: int | None = None) -> list[tuple[str, str]]:
    """(chosen, rejected) of all groups; `limit` groups a file."""
    pairs = []
    for path in paths:
        with gzip.open(path, "rt") as lines:
            for count, line in enumerate(lines):
                if limit is not None and count >= limit:
                    break
                row = json.loads(line)
                pairs += [(row["chosen"], rejected["code"]) for rejected in row["rejected"]]
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--limit", type=int, default=12_000, help="groups a file")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True, help=".npy of the weights")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = LinearReward()
    pairs = read_pairs(arguments.groups, arguments.limit)
    model.fit(pairs, arguments.epochs, arguments.seed)
    np.save(arguments.out, model.weights)
    print(f"{len(pairs)} pairs, {np.count_nonzero(model.weights)} weights")


if __name__ == "__main__":
    main()
