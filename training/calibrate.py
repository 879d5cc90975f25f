"""Fits probability = sigmoid(slope · reward + intercept) on held-out groups.

Right and wrong programs carry equal total weight within a group, so the
probability is that of a candidate whose chance was one half before reading it.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import optim
from evaluate import Scorer, load, programs
from tokenizer import render

STEPS = 200


def fit(rewards: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted logistic regression in one variable, by Newton's method."""
    slope, intercept = 1.0, 0.0
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-(slope * rewards + intercept)))
        slack, curve = weights * (p - labels), weights * p * (1 - p) + 1e-9
        gradient = np.array([(slack * rewards).sum(), slack.sum()])
        hessian = np.array([[(curve * rewards**2).sum(), (curve * rewards).sum()], [(curve * rewards).sum(), curve.sum()]])
        step = np.linalg.solve(hessian + 1e-6 * np.eye(2), gradient)
        slope, intercept = slope - step[0], intercept - step[1]
        if np.abs(step).max() < 1e-9:
            break
    return float(slope), float(intercept)


def measure(scorer: Scorer, paths: list[Path]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rewards, labels, weights) of all programs of the groups."""
    texts, labels, weights = [], [], []
    for path in paths:
        for row in load(path, None):
            for j, code in enumerate(programs(row)):
                texts.append(render(row["problem"], code))
                labels.append(float(j == 0))
                weights.append(1.0 if j == 0 else 1.0 / len(row["rejected"]))
    return scorer.score(texts), np.array(labels), np.array(weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="calibration.json")
    arguments = parser.parse_args()
    optim.use_threads(2)
    rewards, labels, weights = measure(Scorer(arguments.checkpoint, arguments.tokenizer), arguments.groups)
    slope, intercept = fit(rewards, labels, weights)
    arguments.out.write_text(json.dumps({"slope": slope, "intercept": intercept}, indent=1))
    p = 1.0 / (1.0 + np.exp(-(slope * rewards + intercept)))
    for low in np.arange(0, 1, 0.1):
        inside = (p >= low) & (p < low + 0.1)
        if inside.any():
            print(f"p {low:.1f}–{low + 0.1:.1f}: right {np.average(labels[inside], weights=weights[inside]):.2f} ({inside.sum()})")
    print(f"slope {slope:.4f} intercept {intercept:.4f}")


if __name__ == "__main__":
    main()
