"""The parts of the synthesis that need no server: concepts, walks, parsing, duplicates, contamination, difficulty."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from training.data.heldout import hashes_of
from training.reward_server import RewardModel
from training.synthesize import concepts, filters, graph, journal, problems, scoring, seeds, stages
from training.synthesize.chat import ChatModel

SOLUTION = """import re
def f(rows):
    found = {}
    for row in rows:
        for word in re.findall("a", row):
            found[word] = found.get(word, 0) + 1
    return sorted(found.items(), key=lambda item: item[1])[:3]
"""


def test_the_syntax_shows_what_a_solution_uses() -> None:
    assert concepts.of_syntax(SOLUTION) == [
        "anonymous functions", "dictionary", "dictionary lookup", "dictionary traversal", "nested loops",
        "regular expressions", "slicing", "sorting",
    ]  # fmt: skip
    assert "recursion" in concepts.of_syntax("def f(n):\n    return 1 if n == 0 else n * f(n - 1)")
    assert concepts.of_syntax("def f(") == []


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        ("1. Binary search: halves the range\n2. Array traversal", ["binary search", "array traversal"]),
        ("Sorting, hash map, string slicing.", ["sorting", "hash map", "string slicing"]),
        ("- **Dynamic programming**\n- dynamic programming", ["dynamic programming"]),
        ("1. Algorithms\n2. Data Structures\n3. Operations\n4. String slicing", ["string slicing"]),
        ("This problem needs you to think about a great many things at once", []),
        ("", []),
    ],
)
def test_concepts_are_read_from_what_models_write(reply: str, names: list[str]) -> None:
    assert concepts.parse(reply) == names


def test_few_concepts_of_a_model_are_filled_up_from_the_syntax() -> None:
    assert concepts.together(["heap", "greedy choice", "intervals"], SOLUTION) == ["heap", "greedy choice", "intervals"]
    assert concepts.together(["heap"], "def f(a):\n    return sorted(a)[:2]") == ["heap", "slicing", "sorting"]
    assert concepts.together([], "") == []


def test_the_graph_counts_what_problems_have_together() -> None:
    built = graph.build([["a", "b"], ["a", "b", "c"], ["c", "d"], ["a", "a"]])
    assert built.edges["a"] == {"b": 2, "c": 1}
    assert built.edges["d"] == {"c": 1}
    assert built.frequency == {"a": 3, "b": 2, "c": 2, "d": 1}
    assert graph.build([["a", "b"], ["a"]], least=2).edges == {"a": {}}


def test_a_higher_temperature_takes_rare_edges_more_often() -> None:
    built = graph.build([["a", "b"]] * 99 + [["a", "c"]])

    def share_of_rare(temperature: float) -> float:
        rng = random.Random(1)
        paths = [built.walk(rng, 2, temperature) for _ in range(2000)]
        return Counter("c" in path for path in paths)[True] / len(paths)

    assert share_of_rare(1.0) < 0.05
    assert share_of_rare(100.0) > 0.4


def test_walks_join_neighbours_differ_and_are_the_same_each_time() -> None:
    built = graph.build([["a", "b", "c"], ["c", "d"], ["d", "e", "f"]])
    found = graph.walks(built, 8, 3, 2.0, 1)
    assert found == graph.walks(built, 8, 3, 2.0, 1)
    assert graph.walks(built, 4, 3, 2.0, 1) == found[:4]
    assert len({frozenset(path) for path in found}) == len(found)
    assert all(b in built.edges[a] for path in found for a, b in itertools.pairwise(path))
    assert len(graph.walks(built, 1000, 3, 2.0, 1)) < 1000


TEXT = "Write a function `pairs(values)` that takes a list of integers and returns all pairs whose sum is even."


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f"Here is a new problem:\n\n**Problem:** {TEXT}",
        f"Sure!\n### Problem Statement\n{TEXT}\n\n### Solution\n```python\ndef pairs(values):\n    return []\n```",
        f"{TEXT}\n\n```python\ndef pairs(values):\n    for a in values:\n        pass\n    return []\n```",
        f"{TEXT}\n\nProblem: Another one that nobody asked for.",
        f"{TEXT}**\n\nNew problem: Write a function that adds.",
        f"{TEXT}\n\n### Question 2: Write a function that adds.",
    ],
)
def test_a_problem_is_what_is_left_without_preface_and_solution(reply: str) -> None:
    assert problems.parse(reply) == TEXT


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I cannot do that.",
        "word " * 500,
        "```python\ndef f():\n    return 1\n```",
        "In this function, `numbers` is the list of integers, and the sum of those between the indices is returned.",
        "This function first creates a dictionary to count the occurrences of each item in the list and returns it.",
        "To solve the problem of finding the n-th power of the elements of a list, we can define a function as follows.",
        "Lists and dictionaries are two of the most useful structures of the language, and both are easy to learn.",
    ],
)
def test_a_reply_without_a_problem_gives_none(reply: str) -> None:
    assert problems.parse(reply) is None


def test_a_request_names_the_concepts_and_shows_seeds() -> None:
    text = problems.prompt(["sorting", "heap"], ["First seed.", "Second seed.", "Third seed."], 1)
    assert "sorting, heap" in text
    assert text.count("Problem: ") == 2


def test_near_duplicates_of_each_other_and_of_seeds_are_found() -> None:
    other = "Given a string, count the vowels that follow a digit and return them as a dictionary of counts."
    near = TEXT.replace("even.", "even numbers.")
    assert filters.duplicates([TEXT, near, other], [], 0.5) == {1: 0}
    assert filters.duplicates([near, other], [TEXT], 0.5) == {0: None}
    assert filters.duplicates([TEXT, other], [], 0.5) == {}


def test_texts_of_held_out_lists_and_of_any_file_are_refused(tmp_path: Path) -> None:
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    listed = tmp_path / "list.txt.gz"
    listed.write_bytes(gzip.compress("".join(f"{value:016x}\n" for value in hashes_of(words)).encode()))
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"deep": [{"text": TEXT}]}) + "\n")
    assert filters.contaminated(f"before {words} after", filters.held_out(listed, []))
    assert filters.contaminated(f"Task: {TEXT}", filters.held_out(None, [rows]))
    assert not filters.contaminated(TEXT, filters.held_out(listed, []))


def test_what_is_left_out_says_why(tmp_path: Path) -> None:
    held = tmp_path / "held.txt"
    held.write_text("Given a graph of cities and roads, return the number of cities that no road reaches at all.")
    model = ChatModel("", "")
    how = stages.Settings(
        tmp_path, model, model, RewardModel("", ""), None, (held,), False, 4, 3, 2.0, 0.8, 0.5, 4, 0.9, 1, 1
    )
    texts = [TEXT, TEXT.replace("even.", "even numbers."), held.read_text(), None]
    made: list[journal.Row] = [
        {"id": str(place), "concepts": [], "reply": "", "problem": text} for place, text in enumerate(texts)
    ]
    assert [row["id"] for row in stages.kept(tmp_path, how, made, [])] == ["0"]
    rows = journal.read(tmp_path / "4-problems.jsonl")
    assert [row["dropped"] for row in rows] == [None, "duplicate", "held out", "no problem"]


def solution(score: float | None, agreement: float = 0.25) -> dict[str, object]:
    return {"valid": score is not None, "score": score, "agreement": agreement}


def test_facts_of_solutions() -> None:
    facts = scoring.facts_of([solution(1.0), solution(2.0), solution(6.0, 0.5), solution(None)])
    assert (facts.valid, facts.best, facts.margin, facts.agreement) == (0.75, 6.0, 4.0, 0.5)
    assert facts.spread == pytest.approx(2.160247)
    nothing = scoring.facts_of([solution(None), solution(float("nan"))])
    assert (nothing.valid, nothing.best, nothing.spread) == (0.0, None, None)


def test_difficulty_follows_the_spread_of_scores() -> None:
    assert scoring.difficulties([0.1, 5.0, None, 1.0]) == ["easy", "hard", "unknown", "medium"]
    assert scoring.difficulties([None, 1.0]) == ["unknown", "unknown"]


def test_seeds_are_mbpps_training_part_or_any_rows_with_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    mbpp = {"text": "Add.", "code": "def f(a):\r\n  return a", "test_list": []}
    rows = [{"task_id": 11, **mbpp}, {"task_id": 601, **mbpp}, {"question": "Mul.", "solution": "x"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(row["id"], row["problem"]) for row in seeds.load(path)] == [("seed-2", "Add."), ("seed-3", "Mul.")]
    path.write_text('{"answer": 1}\n')
    with pytest.raises(seeds.UnusableSeeds, match=r"Line 1 of .* has no problem"):
        seeds.load(path)


def test_a_journal_goes_on_after_a_failure_and_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    items = [{"id": str(n)} for n in range(6)]
    made: list[str] = []

    def make(item: journal.Row, broken: str | None) -> journal.Row:
        if item["id"] == broken:
            raise RuntimeError("stop")
        made.append(item["id"])
        return {**item, "square": int(item["id"]) ** 2}

    with pytest.raises(RuntimeError, match="stop"):
        journal.fill(path, items, lambda item: make(item, "3"), 1, lambda done, total: None)
    before = len(made)
    assert before >= 3
    with path.open("a") as out:
        out.write('{"id": "5", "squ')
    rows = journal.fill(path, items, lambda item: make(item, None), 1, lambda done, total: None)
    assert [row["square"] for row in rows] == [0, 1, 4, 9, 16, 25]
    assert len(set(made)) == 6
