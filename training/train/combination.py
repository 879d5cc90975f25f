"""Fits how several signals decide together: one weight a signal, from pairs of a right and a wrong sample.

The chance that sample a beats sample b of the same problem is sigmoid(weights · (signals of a − signals of b)). Every
problem weighs the same, however many pairs it has. Adding a constant to a signal within a problem changes nothing, so
signals need no normalisation by problem.
"""

from collections.abc import Sequence

import numpy as np

from training.evaluate.judged_problems import JudgedProblem, Values

RIDGE = 0.01
"""Penalty on squared weights of standardised differences: keeps weights small that few problems speak for."""
STEPS = 50


def features(problem: JudgedProblem, names: Sequence[str]) -> Values:
    """[samples, signals]."""
    return np.stack([problem.signals[name] for name in names], axis=1)


def differences(problems: Sequence[JudgedProblem], names: Sequence[str]) -> tuple[Values, Values]:
    """Right minus wrong for every pair of valid samples: [pairs, signals], and each pair's share of its problem."""
    rows, shares = [], []
    for problem in problems:
        given = features(problem, names)
        right, wrong = given[problem.passed & problem.valid], given[~problem.passed & problem.valid]
        if len(right) and len(wrong):
            pairs = (right[:, None] - wrong[None]).reshape(-1, len(names))
            rows.append(pairs)
            shares.append(np.full(len(pairs), 1 / len(pairs)))
    if not rows:
        raise ValueError("No problem has both right and wrong samples: nothing to fit.")
    return np.concatenate(rows), np.concatenate(shares)


def fit(problems: Sequence[JudgedProblem], names: Sequence[str], ridge: float = RIDGE) -> Values:
    """One weight a signal, by Newton's method on the penalised logistic loss."""
    pairs, shares = differences(problems, names)
    shares = shares / shares.sum()
    scale = np.sqrt((pairs**2 * shares[:, None]).sum(axis=0)) + 1e-12
    pairs = pairs / scale
    weights = np.zeros(len(names))
    for _ in range(STEPS):
        wrong = 1 / (1 + np.exp(np.clip(pairs @ weights, -50, 50)))
        slope = 2 * ridge * weights - (pairs * (shares * wrong)[:, None]).sum(axis=0)
        bend = (pairs * (shares * wrong * (1 - wrong))[:, None]).T @ pairs + 2 * ridge * np.eye(len(names))
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(weights / scale)


def combined(problem: JudgedProblem, names: Sequence[str], weights: Values) -> Values:
    """The value that sorts the samples of a problem."""
    return np.asarray(features(problem, names) @ weights)


def held_out(problems: Sequence[JudgedProblem], names: Sequence[str], folds: int = 5, seed: int = 0) -> list[Values]:
    """For each problem the combined values under weights fitted on the other folds."""
    places = np.random.default_rng(seed).permutation(len(problems))
    values: dict[int, Values] = {}
    for fold in range(folds):
        out = set(places[fold::folds].tolist())
        weights = fit([problem for place, problem in enumerate(problems) if place not in out], names)
        values |= {place: combined(problems[place], names, weights) for place in out}
    return [values[place] for place in range(len(problems))]
