"""Mutators: what they change, what they leave alone, and that they say so when there is nothing to change."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest

from training.data.mutate import coarse, lines, tokens, tree
from training.data.mutate.lexer import lex
from training.data.mutate.style import rename_variables, strip_comments
from training.tests.examples import GO, SAMPLE


@pytest.mark.parametrize(
    ("language", "code"), [("python", SAMPLE), ("go", GO), ("rust", "fn f<'a>(x: &'a str) -> char { 'b' }")]
)
def test_lexing_loses_nothing(language: str, code: str) -> None:
    assert "".join(token.text for token in lex(code, language)) == code


@pytest.mark.parametrize("kind", sorted(tokens.EDITS))
@pytest.mark.parametrize(("language", "code"), [("python", SAMPLE), ("go", GO)])
def test_token_edits_change_few_tokens_or_say_that_they_cannot(kind: str, language: str, code: str) -> None:
    mutants = [tokens.mutate(random.Random(seed), kind, code, language) for seed in range(20)]
    for mutant in mutants:
        if mutant is not None:
            before, after = code.splitlines(), mutant.splitlines()
            assert mutant != code
            assert len(set(before) ^ set(after)) <= 8


@pytest.mark.parametrize("kind", sorted(set(lines.EDITS) - {"truncate"}))
def test_line_edits_of_python_still_parse(kind: str) -> None:
    for seed in range(20):
        mutant = lines.mutate(random.Random(seed), kind, SAMPLE, "python")
        assert mutant is None or lines.parses(mutant)


def test_tree_edits_give_another_program_that_parses() -> None:
    made = [tree.mutate(random.Random(seed), SAMPLE) for seed in range(30)]
    found = [edit for edit in made if edit is not None]
    assert len(found) >= 20
    for _, code in found:
        assert ast.dump(ast.parse(code)) != ast.dump(ast.parse(SAMPLE))


@pytest.mark.parametrize("code", ["", "def f(", "x"])
def test_programs_without_a_place_for_a_tree_edit_are_left_alone(code: str) -> None:
    assert tree.mutate(random.Random(0), code) is None


def test_normalising_drops_comments_and_layout_and_nothing_else() -> None:
    normal = tree.normalise(SAMPLE)
    assert normal is not None
    assert "# the new best" not in normal
    assert tree.normalise(normal) == normal
    assert tree.normalise("def f(") is None


def test_renaming_keeps_behaviour() -> None:
    renamed = rename_variables(random.Random(1), SAMPLE)
    assert renamed is not None
    assert "values" not in renamed.split('"""')[0]
    space: dict[str, Any] = {}
    exec(renamed, space)
    assert space["smallest"]([5, 2, 9], 3) == 5


def test_stripping_comments_keeps_strings_that_look_like_them() -> None:
    assert strip_comments("s = '# no comment'  # a comment\n", "python").rstrip() == "s = '# no comment'"


def test_another_functions_body_goes_below_the_asked_header() -> None:
    moved = coarse.other_body("def f(a):", "def g(b):", "def g(b):\n    return b + 1")
    assert moved is not None
    assert moved.startswith("def f(a):\n")
    assert "b + 1" in moved
