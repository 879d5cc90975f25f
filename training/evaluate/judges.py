"""Compares judges on judged samples of real models: what each signal picks alone, and what a fitted sum of some picks.

    python -m training.evaluate.judges mbpp-test.jsonl.gz --scores test-scores.jsonl.gz --combine likelihood,agreement
        [--fit mbpp-train.jsonl.gz --fit-scores train-scores.jsonl.gz]

Prints a Markdown table. With `--fit` the weights come from those problems; without it each problem's weights are fitted
on the others (five folds). Intervals are 95 % bootstrap intervals over the problems.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from training.evaluate.judged_problems import JudgedProblem, Values, load
from training.evaluate.picks import Estimate, best, estimate, pairwise
from training.train import combination


def shown(estimated: Estimate, sign: bool = False) -> str:
    form = "+.3f" if sign else ".3f"
    return f"{estimated.value:{form}} [{estimated.low:{form}}, {estimated.high:{form}}]"


def row(name: str, problems: list[JudgedProblem], values: list[Values]) -> str:
    """One line: best of N, its gain over a random sample, the share of the way to the oracle, pairwise accuracy."""
    picked = np.array([best(problem, value) for problem, value in zip(problems, values, strict=True)])
    random = np.array([problem.passed.mean() for problem in problems])
    room = np.mean([problem.passed.any() for problem in problems]) - random.mean()
    share = f"{(picked - random).mean() / room:.0%}" if room > 0 else "–"
    ordered = estimate([pairwise(problem, value) for problem, value in zip(problems, values, strict=True)])
    gain = shown(estimate(picked - random), sign=True)
    return f"| {name} | {picked.mean():.3f} | {gain} | {share} | {shown(ordered)} |"


def table(problems: list[JudgedProblem], combinations: list[tuple[list[str], list[JudgedProblem] | None]]) -> list[str]:
    """The lines of the table; a combination is its signals and the problems to fit on (None: cross-validated)."""
    sizes = sorted({len(problem.passed) for problem in problems})
    random = estimate([float(problem.passed.mean()) for problem in problems])
    oracle = estimate([float(problem.passed.any()) for problem in problems])
    mixed = sum(0 < problem.passed.sum() < len(problem.passed) for problem in problems)
    lines = [
        f"{len(problems)} problems of {'–'.join(map(str, sizes))} samples, {mixed} with right and wrong ones.",
        "",
        "| first by | right | more than a random one | of the way to the oracle | pairwise |",
        "|---|---|---|---|---|",
        f"| a random sample | {shown(random)} | | 0% | .500 |",
        row("valid, then random", problems, [np.zeros(len(problem.passed)) for problem in problems]),
    ]
    for name in problems[0].signals:
        lines.append(row(name, problems, [problem.signals[name] for problem in problems]))
    for names, fitted_on in combinations:
        if fitted_on is None:
            values = combination.held_out(problems, names)
            title = f"{' + '.join(names)}, cross-validated"
        else:
            weights = combination.fit(fitted_on, names)
            values = [combination.combined(problem, names, weights) for problem in problems]
            title = " + ".join(f"{weight:.3g} · {name}" for name, weight in zip(names, weights, strict=True))
        lines.append(row(title, problems, values))
    return [*lines, f"| the oracle | {shown(oracle)} | | 100% | |"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judged", type=Path)
    parser.add_argument("--scores", type=Path, nargs="*", default=[], help="further signals of its samples")
    parser.add_argument("--combine", action="append", default=[], help="signals, with commas; can be given again")
    parser.add_argument("--fit", type=Path, help="judged samples to fit the weights on")
    parser.add_argument("--fit-scores", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    problems = load(arguments.judged, arguments.scores)
    if not problems:
        sys.exit(f"{arguments.judged} and the scores have no problem in common.")
    fitted_on = load(arguments.fit, arguments.fit_scores) if arguments.fit else None
    combinations = [(names.split(","), fitted_on) for names in arguments.combine]
    print("\n".join(table(problems, combinations)))


if __name__ == "__main__":
    main()
