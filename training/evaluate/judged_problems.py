"""Judged problems with what is known of each sample: the signals that an order can be made of."""

import ast
import io
import textwrap
import tokenize
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data import json_lines
from training.data.cursor_samples import indentation
from training.data.verdicts import program

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass
class JudgedProblem:
    """One problem; every array has one value a sample."""

    id: str
    passed: Flags
    valid: Flags
    """The sample holds a program that parses."""
    signals: dict[str, Values] = field(default_factory=dict)


def without_comments(code: str) -> str:
    """A Python program without comments, docstrings and empty lines; raises SyntaxError where it does not parse."""
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) and len(node.body) > 1:
            first, second = node.body[:2]
            text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            if text and isinstance(first.value.value, str) and second.lineno > (first.end_lineno or 0):  # type: ignore[attr-defined]
                dropped.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = code.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except tokenize.TokenError as error:
        raise SyntaxError(str(error)) from error
    kept = [line.rstrip() for number, line in enumerate(lines, 1) if number not in dropped and line.strip()]
    return "\n".join(kept)


def normal_form(code: str) -> str | None:
    """Equal for programs that differ in comments and layout only; None where the program does not parse."""
    try:
        return ast.dump(ast.parse(without_comments(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def describe(row: dict[str, Any]) -> JudgedProblem:
    """The signals that the samples themselves give: agreement, length, and the writer's own log-probability."""
    samples = row["samples"]
    prefix = row["task"].get("prefix")
    if prefix is None:
        codes = [program(sample["text"]) for sample in samples]
    else:
        codes = [textwrap.dedent(" " * indentation(prefix) + sample["text"]) for sample in samples]
    forms = [normal_form(code) for code in codes]
    counts = Counter(form for form in forms if form is not None)
    valid = np.array([form is not None for form in forms])
    lengths = np.array([len(without_comments(code)) if ok else 1 for code, ok in zip(codes, valid, strict=True)])
    logs = np.log(np.maximum(lengths, 1.0))
    middle = float(np.median(logs[valid])) if valid.any() else 0.0
    signals = {
        "agreement": np.array([counts[form] / len(samples) if form else 0.0 for form in forms]),
        "length": np.where(valid, logs - middle, 0.0),
        "distance from the median length": np.where(valid, -abs(logs - middle), -9.0),
    }
    written = [sample.get("logprobs") for sample in samples]
    if all(written):
        signals["writer"] = np.array([given["sum"] / max(given["tokens"], 1) for given in written])
    return JudgedProblem(row["id"], np.array([sample["passed"] for sample in samples]), valid, signals)


def load(path: Path, scores: list[Path]) -> list[JudgedProblem]:
    """Judged problems with the signals of score files: lines {"id", "signal", "values"}, one value a sample.

    A problem that some score file lacks is left out, so that all signals are compared on the same problems.
    """
    problems = {row["id"]: describe(row) for row in json_lines.read(path)}
    wanted: set[str] = set()
    for score in scores:
        for row in json_lines.read(score):
            wanted.add(row["signal"])
            problem = problems.get(row["id"])
            if problem is not None:
                if len(row["values"]) != len(problem.passed):
                    raise ValueError(f"{score}: {row['id']} has {len(row['values'])} values for {len(problem.passed)}.")
                problem.signals[row["signal"]] = np.array(row["values"], dtype=np.float64)
    return [problem for problem in problems.values() if wanted <= problem.signals.keys()]
