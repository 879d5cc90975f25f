"""How often the sample that a signal puts first is right, and how often it puts a right one above a wrong one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluate.judged_problems import JudgedProblem, Values

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over problems with its 95 % percentile bootstrap interval."""

    value: float
    low: float
    high: float


def estimate(values: Sequence[float] | Values, seed: int = 0) -> Estimate:
    """`values` has one entry a problem; nan where a problem has none."""
    given = np.asarray(values, dtype=np.float64)
    given = given[~np.isnan(given)]
    if given.size == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(0, given.size, (RESAMPLES, given.size))
    low, high = np.percentile(given[drawn].mean(axis=1), [2.5, 97.5])
    return Estimate(float(given.mean()), float(low), float(high))


def order(problem: JudgedProblem, values: Values) -> Values:
    """The values that sort the samples: one that does not parse is below all others."""
    return np.where(problem.valid, values, -np.inf)


def best(problem: JudgedProblem, values: Values) -> float:
    """Chance that the first is right; equal values share the first place."""
    sorting = order(problem, values)
    return float(problem.passed[sorting == sorting.max()].mean())


def pairwise(problem: JudgedProblem, values: Values) -> float:
    """Share of (right, wrong) pairs with the right one higher, ties half; nan without pairs."""
    sorting = order(problem, values)
    right, wrong = sorting[problem.passed][:, None], sorting[~problem.passed][None]
    if not right.size or not wrong.size:
        return float("nan")
    return float(((right > wrong) + 0.5 * (right == wrong)).mean())
