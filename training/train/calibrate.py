"""Fits on held-out groups how much each part of the reward counts, and probability = sigmoid(slope · reward + intercept).

reward = transformer + coefficient · linear part + coefficient · matching part. The coefficients are those under which the
order of right and wrong programs is likeliest (Bradley–Terry), and are written into `ngram.json` and `matching.json`.
Right and wrong programs carry equal total weight within a group, so the
probability is that of a candidate whose chance was one half before reading it;
among the wrong ones, injected bugs, other functions and no attempts weigh the same.
The probability is fitted without the last of these: what is no program is refused before it gets one.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluate.pairwise import Scorer, TextPart, class_of, load, part_of, programs
from training.train import optim
from training.train.text_parts.linear import set_coefficient
from training.train.tokenizer import render

STEPS = 200


def logistic(inputs: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """w that makes Σ weight · log-likelihood of labels under σ(inputs @ w) greatest: Newton's method, halving steps that overshoot."""
    scale = np.sqrt((inputs**2).mean(0)) + 1e-12
    scaled, w = inputs / scale, np.zeros(inputs.shape[1])
    signs = 2 * labels - 1

    def loss(at: np.ndarray) -> float:
        return float((weights * np.logaddexp(0.0, -signs * (scaled @ at))).sum())

    for _ in range(STEPS):
        p = 0.5 * (1.0 + np.tanh(0.5 * (scaled @ w)))
        gradient = (scaled * (weights * (p - labels))[:, None]).sum(0)
        hessian = (scaled * (weights * p * (1 - p))[:, None]).T @ scaled + 1e-9 * np.eye(len(w))
        step = np.linalg.solve(hessian, gradient)
        while loss(w - step) > loss(w) and np.abs(step).max() > 1e-9:
            step /= 2
        w = w - step
        if np.abs(step).max() < 1e-9:
            break
    return w / scale


def fit(rewards: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """(slope, intercept)."""
    slope, intercept = logistic(np.stack((rewards, np.ones_like(rewards)), 1), labels, weights)
    return float(slope), float(intercept)


def coefficients(leads: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[n - 1] weights of the parts behind the first one, as multiples of its own; leads [pairs, n] are right minus wrong."""
    found = logistic(leads, np.ones(len(leads)), weights)
    return np.maximum(found[1:], 0.0) / max(float(found[0]), 1e-6)


def weights_of(row: dict[str, Any]) -> list[float]:
    """Of a group's programs: the right one weighs 1, the wrong ones together 1, and every class of them (`evaluate.class_of`) the same."""
    classes = [class_of(wrong["kind"]) for wrong in row["rejected"]]
    return [1.0, *(1.0 / (classes.count(name) * len(set(classes))) for name in classes)]


def measure(scorer: Scorer, parts: list[TextPart], paths: list[Path]) -> tuple[np.ndarray, ...]:
    """Of all programs of the groups: rewards [n, 1 + parts] (the transformer's first), labels, weights, the place of the group's right one, whether it is an attempt."""
    texts: list[str] = []
    others, labels, weights, right, attempt = [], [], [], [], []
    for path in paths:
        rows = load(path, None)
        for row in rows:
            place = len(texts)
            for j, (code, weight) in enumerate(zip(programs(row), weights_of(row), strict=True)):
                texts.append(render(row["problem"], code))
                others.append([part(row["problem"], code) for part in parts])
                labels.append(float(j == 0))
                weights.append(weight / len(rows))
                right.append(place)
                attempt.append(j == 0 or class_of(row["rejected"][j - 1]["kind"]) != "coarse")
    return (
        np.column_stack((scorer.score(texts), np.array(others).reshape(len(texts), -1))),
        np.array(labels),
        np.array(weights),
        np.array(right),
        np.array(attempt),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--ngram", type=Path, help="ngram.json, whose coefficient is fitted too")
    parser.add_argument("--matching", type=Path, help="matching.json, the same")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True, help="calibration.json")
    arguments = parser.parse_args()
    optim.use_threads(arguments.threads)
    files = [path for path in (arguments.ngram, arguments.matching) if path]
    values, labels, weights, right, attempt = measure(
        Scorer(arguments.checkpoint, arguments.tokenizer), [part_of(path) for path in files], arguments.groups
    )
    wrong = labels == 0
    found = coefficients((values[right] - values)[wrong], weights[wrong])
    rewards = values @ np.array([1.0, *found])
    for path, value in zip(files, found, strict=True):
        set_coefficient(path, float(value))
        print(f"{path.name}: coefficient {value:.4f}")
    rewards, labels, weights = rewards[attempt], labels[attempt], weights[attempt]
    weights[labels == 0] *= weights[labels == 1].sum() / weights[labels == 0].sum()
    slope, intercept = fit(rewards, labels, weights)
    arguments.out.write_text(json.dumps({"slope": slope, "intercept": intercept}, indent=1))
    p = 0.5 * (1.0 + np.tanh(0.5 * (slope * rewards + intercept)))
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1)
        if inside.any():
            print(
                f"p {low:.1f}–{low + 0.1:.1f}: right {np.average(labels[inside], weights=weights[inside]):.2f} ({inside.sum()})"
            )
    print(f"slope {slope:.4f} intercept {intercept:.4f}")


if __name__ == "__main__":
    main()
