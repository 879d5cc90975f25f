"""Quick checks of the pieces that would fail silently; `python selfcheck.py`, no data needed."""

import hashlib
import random

import numpy as np
import torch
from torch import nn

import mbpp
import optim
import packing
from extract import functions
from heldout import shares_ngram
from model import RewardModel, Shape
from mutate import lines, tokens, tree
from mutate.lexer import lex
from mutate.style import rename_variables

SAMPLE = '''def smallest(values, limit):
    """Return the smallest value above the limit, or None."""
    best = None
    for value in values:
        if value > limit and (best is None or value < best):
            best = value  # the new best
    return best
'''
GO = "// Max returns the larger of its two arguments.\nfunc Max(a, b int) int {\n\tif a > b {\n\t\treturn a\n\t}\n\treturn b // not a\n}\n"


def packed_rewards_equal_single_ones() -> None:
    """A group in one row with shared prefixes gives the rewards of its sequences alone."""
    torch.manual_seed(0)
    model = RewardModel(Shape(hidden=64, layers=2, heads=2, kv_heads=1, head_dim=32, feed_forward=96))
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.2)
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 8192, 90)
    rejected = [np.concatenate((chosen[:cut], rng.integers(0, 8192, 30))) for cut in (5, 40, 89)]
    row = packing.pack([packing.Group(chosen, rejected, [0.0] * 3), packing.Group(chosen[20:], [chosen[20:60]], [0.0])])
    mask = packing.mask(row.start[None], row.base[None], row.shared[None])
    with torch.no_grad():
        packed = model.rewards(model.model(torch.from_numpy(row.ids[None]), torch.from_numpy(row.positions[None]), torch.from_numpy(mask[:, None])))[0]
        for k, ids in enumerate(rejected):
            alone = model.rewards(model.model(torch.from_numpy(ids[None])))[0, -1]
            assert abs(packed[row.bad[k]] - alone) < 1e-4, (k, packed[row.bad[k]], alone)


def lexing_loses_nothing() -> None:
    for language, code in (("python", SAMPLE), ("go", GO), ("rust", "fn f<'a>(x: &'a str) -> char { 'b' }")):
        assert "".join(token.text for token in lex(code, language)) == code


def mutants_differ_and_parse() -> None:
    rng = random.Random(0)
    made = 0
    for _ in range(20):
        for kind in tokens.EDITS:
            mutant = tokens.mutate(rng, kind, GO, "go")
            assert mutant is None or mutant != GO
        for kind in lines.EDITS:
            mutant = lines.mutate(rng, kind, SAMPLE, "python")
            assert mutant is None or kind == "truncate" or lines.parses(mutant)
        edited = tree.mutate(rng, SAMPLE)
        made += edited is not None and lines.parses(edited[1])
    assert made >= 15


def renaming_keeps_behaviour() -> None:
    space: dict = {}
    renamed = rename_variables(random.Random(1), SAMPLE)
    assert renamed is not None and "values" not in renamed.split('"""')[0]
    exec(renamed, space)
    assert space["smallest"]([5, 2, 9], 3) == 5


def tests_tell_programs_apart() -> None:
    item = mbpp.Problem(0, "", "", ("assert f(2) == 4", "assert f(3) == 9"), "")
    programs = ["def f(x): return x * x", "def f(x): return x + x", "while True: pass", "import os; os._exit(0)", "def f(x"]
    assert mbpp.run_tests(item, programs, 0.2) == [2, 1, 0, 0, 0]


def functions_are_found() -> None:
    python, go = next(iter(functions("python", SAMPLE))), next(iter(functions("go", GO)))
    assert python.name == "smallest" and '"""' not in python.code
    assert go.name == "Max" and go.code.endswith("}") and go.doc.startswith("Max returns")


def ngrams_follow_the_rule() -> None:
    words = "One two 3 + four five six seven eight nine ten eleven twelve thirteen"
    joined = " ".join(words.lower().split()[:13])
    assert shares_ngram(words, frozenset({int(hashlib.sha256(joined.encode()).hexdigest()[:16], 16)}))
    assert not shares_ngram(words, frozenset({1}))


def muon_steps_are_torchs() -> None:
    """Our float32 Muon goes where torch's goes, up to the rounding of its bfloat16."""
    torch.manual_seed(1)
    for shape in ((48, 96), (96, 48)):
        start, ours, theirs = torch.randn(shape), nn.Parameter(torch.zeros(shape)), nn.Parameter(torch.zeros(shape))
        for matrix, optimiser in ((ours, optim.Muon([ours], 0.02, 0.05, 0.95)), (theirs, torch.optim.Muon([theirs], lr=0.02, weight_decay=0.05, momentum=0.95))):
            for step in range(1, 4):
                matrix.grad = start * step + start.flip(0)
                optimiser.step()
        difference = (ours - theirs).norm() / theirs.norm()
        assert difference < 0.03, difference


if __name__ == "__main__":
    for check in (packed_rewards_equal_single_ones, lexing_loses_nothing, mutants_differ_and_parse, renaming_keeps_behaviour,
                  tests_tell_programs_apart, functions_are_found, ngrams_follow_the_rule, muon_steps_are_torchs):
        check()
        print("ok", check.__name__)
