"""Pairwise accuracy on held-out groups, by mutator: nano, its parts alone, and baselines (length, LM log-probability).

nano is the transformer's reward plus those of the linear and the matching part, each with its coefficient.
"""

import argparse
import gzip
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from training.train import optim
from training.train.model import RewardModel, Shape
from training.train.text_parts.linear import LinearReward
from training.train.text_parts.matching import Matching
from training.train.tokenizer import render

TOKENS_PER_BATCH = 8192
MAX_TOKENS = 1536
COARSE = frozenset(("truncated", "stub", "prose", "empty", "repeated", "similar-function", "wrong-language"))
Scores = dict[tuple[int, int], float]


def load(path: Path, limit: int | None) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return rows[:limit] if limit else rows


def programs(row: dict[str, Any]) -> list[str]:
    return [row["chosen"], *(rejected["code"] for rejected in row["rejected"])]


class Scorer:
    """Rewards and mean log-probabilities of programs by a checkpoint."""

    def __init__(self, checkpoint: Path, tokenizer: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
        self.model = RewardModel(Shape())
        self.model.load_state_dict(torch.load(checkpoint)["model"])
        self.model.eval()

    @torch.no_grad()
    def score(self, texts: list[str], likelihood: bool = False) -> np.ndarray:
        """[n] rewards at the last token, or summed log-probabilities of the text."""
        ids = [e.ids[-MAX_TOKENS:] for e in self.tokenizer.encode_batch(texts, add_special_tokens=False)]
        out = np.zeros(len(ids))
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        while order:
            longest, take = 0, list[int]()
            while order and (len(take) + 1) * max(longest, len(ids[order[0]])) <= max(
                TOKENS_PER_BATCH, len(ids[order[0]])
            ):
                take.append(order.pop(0))
                longest = len(ids[take[-1]])
            rows = torch.zeros(len(take), longest, dtype=torch.long)
            for k, i in enumerate(take):
                rows[k, : len(ids[i])] = torch.tensor(ids[i])
            with optim.autocast():
                hidden = self.model.model(rows)
            for k, i in enumerate(take):
                n = len(ids[i])
                if likelihood:
                    logits = hidden[k, : n - 1].float() @ self.model.model.embed_tokens.weight.T
                    out[i] = logits.log_softmax(-1).gather(1, rows[k, 1:n, None]).sum().item()
                else:
                    out[i] = self.model.rewards(hidden[k, n - 1]).item()
        return out


def class_of(kind: str) -> str:
    """What a bar is about: `injected` bugs, `wrong-function`, or no attempt at all (`coarse`)."""
    return kind if kind == "wrong-function" else "coarse" if kind in COARSE else "injected"


def accuracy(
    rows: list[dict[str, Any]], scores: Mapping[tuple[int, int], float]
) -> tuple[dict[str, tuple[float, int]], np.ndarray, dict[str, np.ndarray]]:
    """By kind: (accuracy, pairs), ties count half; the per-group accuracies; and the same by class of kinds.

    `scores` of (place of the group, place of the program in it, the right one first).
    """
    right: dict[str, list[float]] = defaultdict(list)
    groups = []
    classes: dict[str, list[float]] = defaultdict(list)
    for g, row in enumerate(rows):
        own: dict[str, list[float]] = defaultdict(list)
        for j, rejected in enumerate(row["rejected"], 1):
            difference = scores[g, 0] - scores[g, j]
            value = 0.5 if difference == 0 else float(difference > 0)
            own[class_of(rejected["kind"])].append(value)
            right[rejected["kind"]].append(value)
        groups.append(np.mean(list(itertools.chain.from_iterable(own.values()))))
        for name, values in own.items():
            classes[name].append(float(np.mean(values)))
    every = [value for values in right.values() for value in values]
    table = {kind: (float(np.mean(values)), len(values)) for kind, values in sorted(right.items())}
    table["all"] = (float(np.mean(every)), len(every))
    return table, np.array(groups), {name: np.array(values) for name, values in classes.items()}


def interval(groups: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over groups (problems)."""
    rng = np.random.default_rng(seed)
    means = groups[rng.integers(len(groups), size=(1000, len(groups)))].mean(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


TextPart = Callable[[str, str], float]
"""A part of the reward that reads problem and program as text."""


def part_of(path: Path) -> TextPart:
    """The part of an `ngram.json` or `matching.json`, without its coefficient."""
    return Matching.load(path).match if path.name.startswith("matching") else LinearReward.load(path).reward


def evaluate(path: Path, scorer: Scorer, parts: dict[str, Path], limit: int | None, likelihood: bool) -> dict[str, Any]:
    """Figures of one file of groups; `parts` names the files of the linear and the matching part."""
    rows = load(path, limit)
    keys = [(g, j) for g, row in enumerate(rows) for j in range(len(programs(row)))]
    codes = [programs(rows[g])[j] for g, j in keys]
    texts = [render(rows[g]["problem"], code) for (g, _), code in zip(keys, codes, strict=True)]
    transformer = scorer.score(texts)
    methods = {
        "nano": transformer.copy(),
        "transformer": transformer,
        "longest": np.array([len(c) for c in codes], float),
    }
    if likelihood:
        methods["lm"] = scorer.score(texts, likelihood=True)
    for name, file in parts.items():
        part = part_of(file)
        methods[name] = np.array([part(rows[g]["problem"], code) for (g, _), code in zip(keys, codes, strict=True)])
        methods["nano"] += float(json.loads(file.read_text())["coefficient"]) * methods[name]
    result = {}
    for name, values in methods.items():
        table, groups, classes = accuracy(rows, dict(zip(keys, values.tolist(), strict=True)))
        result[name] = {
            "by_kind": table,
            "per_problem": float(groups.mean()),
            "interval": interval(groups),
            "classes": {kind: (float(values.mean()), *interval(values)) for kind, values in classes.items()},
        }
        if name == "nano":
            language = defaultdict(list)
            for row, value in zip(rows, groups, strict=True):
                language[row["language"]].append(value)
            result[name]["by_language"] = {key: (float(np.mean(v)), len(v)) for key, v in language.items()}
    return {"file": path.name, "problems": len(rows), "methods": result}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--linear", type=Path, help="ngram.json of linear.py")
    parser.add_argument("--matching", type=Path, help="matching.json of matching.py")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--likelihood", action="store_true", help="also by LM log-probability")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    optim.use_threads(arguments.threads)
    scorer = Scorer(arguments.checkpoint, arguments.tokenizer)
    parts = {name: getattr(arguments, name) for name in ("linear", "matching") if getattr(arguments, name)}
    results = [evaluate(path, scorer, parts, arguments.limit, arguments.likelihood) for path in arguments.groups]
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))
    for result in results:
        print(f"== {result['file']}: {result['problems']} problems")
        for name, figures in result["methods"].items():
            low, high = figures["interval"]
            pairs = figures["by_kind"]["all"]
            print(
                f"{name:11} per problem {figures['per_problem']:.3f} [{low:.3f}, {high:.3f}]  pairs {pairs[0]:.3f} of {pairs[1]}  "
                + " ".join(
                    f"{kind} {value:.3f} [{low:.3f}, {high:.3f}]"
                    for kind, (value, low, high) in figures["classes"].items()
                )
            )
        for kind, (value, count) in result["methods"]["nano"]["by_kind"].items():
            beside = " ".join(
                f"{name} {figures['by_kind'][kind][0]:.2f}"
                for name, figures in result["methods"].items()
                if name != "nano"
            )
            print(f"   {kind:16} {value:.3f} ({count})  {beside}")
        print(
            "   by language:", {k: (round(v, 3), n) for k, (v, n) in result["methods"]["nano"]["by_language"].items()}
        )


if __name__ == "__main__":
    main()
