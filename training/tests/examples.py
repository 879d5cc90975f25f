"""Programs and packed groups that several tests look at."""

from __future__ import annotations

import numpy as np

from training.train import packing

SAMPLE = '''def smallest(values, limit):
    """Return the smallest value above the limit, or None."""
    best = None
    for value in values:
        if value > limit and (best is None or value < best):
            best = value  # the new best
    return best
'''
GO = """// Max returns the larger of its two arguments.
func Max(a, b int) int {
	if a > b {
		return a
	}
	return b // not a
}
"""


def group_of(rng: np.random.Generator, length: int, cuts: tuple[int, ...]) -> packing.Group:
    chosen = rng.integers(1, 8192, length)
    wrong = [np.concatenate((chosen[:cut], rng.integers(1, 8192, 30))) for cut in cuts]
    return packing.Group(chosen, wrong, [0.0] * len(wrong))
