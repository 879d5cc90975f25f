"""From sources to functions, problems and verdicts: extraction, phrasing, what stands alone, and MBPP's tests."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from training.data import json_lines, mbpp, prompts
from training.data.sources.extract import functions
from training.data.standalone import is_standalone
from training.tests.examples import GO, SAMPLE

ITEM = mbpp.Problem(
    1, "Write a function to square a number.", "def sq(x):\n    return x * x",
    ("assert sq(2) == 4", "assert sq(3) == 9"), "",
)  # fmt: skip


def test_documented_functions_are_found_without_their_documentation() -> None:
    python, go = next(iter(functions("python", SAMPLE))), next(iter(functions("go", GO)))
    assert python.name == "smallest"
    assert '"""' not in python.code
    assert python.doc.startswith("Return the smallest value")
    assert go.name == "Max"
    assert go.code.endswith("}")
    assert go.doc.startswith("Max returns")


def test_undocumented_and_broken_sources_give_nothing() -> None:
    assert list(functions("python", "def f(a):\n    return a\n")) == []
    assert list(functions("python", "def f(:\n")) == []
    assert list(functions("go", "")) == []


@pytest.mark.parametrize(
    ("code", "alone"),
    [
        ("def f(a):\n    return sorted(a)", True),
        ("def f(a):\n    return math.sqrt(a)", True),
        ("def f(a):\n    return helper(a)", False),
        ("def f(self):\n    return 1", False),
        ("def f(", False),
    ],
)
def test_a_function_stands_alone_when_it_reads_nothing_of_its_module(code: str, alone: bool) -> None:
    assert is_standalone(code) is alone


def test_every_phrasing_of_a_problem_holds_its_documentation() -> None:
    doc = "Returns the largest of the values."
    code = "def largest(values):\n    return max(values)"
    phrased = {prompts.problem(random.Random(n), "python", "largest", doc, code) for n in range(60)}
    assert len(phrased) > 5
    assert all("the largest of the values" in text for text in phrased)


@pytest.mark.parametrize(
    ("doc", "asked"),
    [
        ("Returns the sum.", "return the sum."),
        ("Pushes it.", "push it."),
        ("Matches it.", "match it."),
        ("Caches it.", "cache it."),
        ("Process it.", "process it."),
        ("URL of it.", "URL of it."),
    ],
)
def test_documentation_becomes_an_imperative(doc: str, asked: str) -> None:
    assert prompts.imperative(doc) == asked


def test_documentation_goes_where_the_language_has_it() -> None:
    assert prompts.with_docstring("python", "def f(a):\n    return a", "Same.") == (
        'def f(a):\n    """Same."""\n    return a'
    )
    assert prompts.with_docstring("go", "func f() {}", "Nothing.") == "// Nothing.\nfunc f() {}"


def test_tests_tell_programs_apart_and_none_of_them_gets_out() -> None:
    programs = [
        "def sq(x): return x * x",
        "def sq(x): return x + x",
        "while True: pass",
        "import os; os._exit(0)",
        "def sq(x",
        "import sys; sys.stdout.write('2'); sys.exit()",
    ]
    assert mbpp.run_tests(ITEM, programs, 0.2) == [2, 1, 0, 0, 0, 0]


def test_a_question_names_what_the_tests_call() -> None:
    assert ITEM.asked_name() == "sq"
    assert all(ITEM.text in ITEM.question(random.Random(n)) for n in range(20))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    rows: list[dict[str, Any]] = [{"a": 1}, {"b": "größe\n"}]
    assert json_lines.write(tmp_path / "new" / name, rows) == 2
    assert list(json_lines.read(tmp_path / "new" / name)) == rows


def test_a_line_that_is_no_object_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n[1]\n')
    with pytest.raises(ValueError, match=r"Line 3 of .* is no JSON object"):
        list(json_lines.read(path))
