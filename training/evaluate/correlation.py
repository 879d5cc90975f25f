"""How well a judge's scores follow execution, on samples whose tests have run.

  CODESCALER_TOKEN=… python -m training.evaluate.correlation judged.jsonl.gz --server http://127.0.0.1:8123 \\
      [--models nano codescaler-1.7b] [--out correlation.json] [--plot correlation.svg]
  python -m training.evaluate.correlation judged.jsonl.gz --scores scores.jsonl.gz

The lines are those of `codescaler eval best-of-n`. Each problem's samples are ranked by the server (`POST /v1/rank`) with
every model, and each signal is compared with the verdicts: the reward, the likelihood, the agreement of the samples and,
where the samples bring it, the writer's own log-probability; the length of the program is the baseline. `--scores` takes scores that are there already
instead: lines {"id", "signal", "values"}, a value for each sample.

Per problem that has right and wrong samples: AUC (chance that a right one is scored above a wrong one, ties half) and
Spearman's rank correlation of score and verdict. A sample without a valid program has the lowest score. Intervals are
95 %, from resampling problems. The pooled AUC compares samples of different problems, too, which is what a threshold
on a reward does.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.data import json_lines
from training.reward_server import RewardModel, ServerRefused

RESAMPLES = 2000
LOWEST = -1e30
"""Stands in for the score of a sample without a valid program."""


def ranks(values: np.ndarray) -> np.ndarray:
    """[n] ranks from 1; equal values share their mean."""
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values))
    found[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        same = values == value
        found[same] = found[same].mean()
    return found


def auc(scores: np.ndarray, passed: np.ndarray) -> float:
    """Chance that a passed sample is scored above one that failed; both kinds must be there."""
    right = int(passed.sum())
    wrong = len(passed) - right
    return float((ranks(scores)[passed].sum() - right * (right + 1) / 2) / (right * wrong))


def spearman(scores: np.ndarray, passed: np.ndarray) -> float:
    """Rank correlation of score and verdict; 0 where all scores are equal."""
    a, b = ranks(scores), ranks(passed.astype(float))
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def interval(values: Sequence[float], seed: int = 1) -> tuple[float, float]:
    """95 % of the means of resampled problems."""
    array = np.array(values)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(0, len(array), (RESAMPLES, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def signals_of(ranking: dict[str, Any], count: int) -> dict[str, list[float]]:
    """Each signal of the samples, in the order they were sent; signals that no sample has are left out."""
    found: dict[str, list[float]] = {
        name: [LOWEST] * count for name in ("reward", "likelihood", "agreement", "writer_logprob", "length")
    }
    for candidate in ranking["candidates"]:
        if not candidate["valid"]:
            continue
        own = {**(candidate.get("signals") or {}), "length": len(candidate["code"])}
        own.setdefault("reward", candidate["reward"])
        for name in (candidate["id"], *candidate["duplicates"]):
            for signal, values in found.items():
                if own.get(signal) is not None:
                    values[int(name)] = float(own[signal])
    return {name: values for name, values in found.items() if any(value != LOWEST for value in values)}


def correlate(problems: list[tuple[dict[str, list[float]], list[bool]]]) -> dict[str, dict[str, Any]]:
    """Figures of each signal; only problems with right and wrong samples count."""
    figures = {}
    for name in dict.fromkeys(signal for signals, _ in problems for signal in signals):
        kept = [(np.array(s[name]), np.array(p)) for s, p in problems if name in s and 0 < sum(p) < len(p)]
        if not kept:
            continue
        areas = [auc(scores, passed) for scores, passed in kept]
        correlations = [spearman(scores, passed) for scores, passed in kept]
        figures[name] = {
            "problems": len(kept),
            "auc": float(np.mean(areas)),
            "auc_interval": interval(areas),
            "spearman": float(np.mean(correlations)),
            "spearman_interval": interval(correlations),
            "pooled_auc": auc(np.concatenate([s for s, _ in kept]), np.concatenate([p for _, p in kept])),
            "above_half": float(np.mean([area > 0.5 for area in areas])),
        }
    return figures


def ranked(row: dict[str, Any], judge: RewardModel) -> dict[str, list[float]]:
    """The signals of one line's samples. Raises ServerRefused."""
    ranking = judge.rank_task(row["task"], row["samples"], row["language"])
    return signals_of(ranking, len(row["samples"]))


def recorded(paths: Sequence[Path], rows: list[dict[str, Any]]) -> list[tuple[dict[str, list[float]], list[bool]]]:
    """The problems with the scores of the files. Raises ValueError where a line has another number of scores."""
    by_problem: dict[str, dict[str, list[float]]] = {}
    for line in (line for path in paths for line in json_lines.read(path)):
        values = [LOWEST if value is None else float(value) for value in line["values"]]
        by_problem.setdefault(line["id"], {})[line["signal"]] = values
    problems = []
    for row in rows:
        passed = [bool(sample["passed"]) for sample in row["samples"]]
        signals = by_problem.get(row["id"], {})
        wrong = [name for name, values in signals.items() if len(values) != len(passed)]
        if wrong:
            raise ValueError(f"{row['id']} has {len(passed)} samples, but not as many scores of {wrong[0]}.")
        problems.append((signals, passed))
    return problems


def plot(path: Path, figures: dict[str, dict[str, dict[str, Any]]]) -> None:
    """AUC per problem with its interval, a bar for each judge and signal."""
    from matplotlib.figure import Figure

    bars = [(f"{model}: {name}", one) for model, signals in figures.items() for name, one in signals.items()]
    drawing = Figure(figsize=(7, 0.4 * len(bars) + 1.2), layout="constrained")
    axes = drawing.subplots()
    middles = [one["auc"] for _, one in bars]
    errors = np.array([[one["auc"] - one["auc_interval"][0], one["auc_interval"][1] - one["auc"]] for _, one in bars])
    axes.barh([name for name, _ in bars], middles, xerr=errors.T)
    axes.axvline(0.5, color="grey")
    axes.set_xlabel("AUC per problem (0.5 is chance), 95 % interval")
    axes.invert_yaxis()
    drawing.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})


def main() -> None:
    """Exit code 0 when done, 1 when the server or the file fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, nargs="+")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--server", help="address of a codescaler server")
    source.add_argument("--scores", type=Path, nargs="+", help="files of scores that were recorded before")
    parser.add_argument("--models", nargs="+", default=[""], help="installed models (default: the server's own)")
    parser.add_argument("--limit", type=int, help="problems")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    try:
        rows = [row for path in options.samples for row in json_lines.read(path)][: options.limit]
        if options.scores:
            figures["recorded"] = correlate(recorded(options.scores, rows))
        for model in options.models if options.server else []:
            judge = RewardModel(options.server, os.environ.get("CODESCALER_TOKEN", ""), model)
            problems = []
            for place, row in enumerate(rows, 1):
                problems.append((ranked(row, judge), [bool(sample["passed"]) for sample in row["samples"]]))
                if place % 20 == 0 or place == len(rows):
                    print(f"{model or 'judge'}: {place} of {len(rows)} problems", file=sys.stderr, flush=True)
            figures[model or "the server's model"] = correlate(problems)
    except (ServerRefused, ValueError, OSError) as error:
        sys.exit(f"{error}")
    for model, signals in figures.items():
        for name, one in signals.items():
            low, high = one["auc_interval"]
            print(
                f"{model:24} {name:15} AUC {one['auc']:.3f} [{low:.3f}, {high:.3f}]  Spearman {one['spearman']:.3f}  "
                f"pooled AUC {one['pooled_auc']:.3f}  {one['problems']} problems"
            )
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")
    if options.plot:
        plot(options.plot, figures)


if __name__ == "__main__":
    main()
