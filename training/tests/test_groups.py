"""Groups of right and wrong programs: how they are made, packed into rows, and kept apart from held-out texts."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np

from training.data.groups import retrieval
from training.data.groups.pairs import package_group, styled
from training.data.groups.wrong_programs import Job, bugs
from training.data.heldout import hashes_of, shares_ngram
from training.evaluate.judged import judged
from training.tests.examples import SAMPLE, group_of
from training.train import packing

OTHER = "def largest(values):\n    best = values[0]\n    for value in values:\n        best = max(best, value)\n    return best"


def row(name: str, code: str, doc: str) -> dict[str, object]:
    return {"package": "p", "language": "python", "name": name, "code": code, "doc": doc, "method": False}


def test_texts_that_share_13_tokens_are_found_by_their_hashes() -> None:
    words = "One two 3 + four five six seven eight nine ten eleven twelve thirteen"
    joined = " ".join(words.lower().split()[:13])
    listed = frozenset({int(hashlib.sha256(joined.encode()).hexdigest()[:16], 16)})
    assert shares_ngram(words, listed)
    assert shares_ngram(f"before {words.upper()} after", listed)
    assert not shares_ngram(words.replace("seven", "7"), listed)
    assert list(hashes_of("too short")) == []


def test_injected_bugs_differ_from_the_program_and_from_each_other() -> None:
    found = bugs(random.Random(1), SAMPLE, "python", False, 6, 60)
    assert len(found) == 6
    assert len({code for _, code in found} | {SAMPLE}) == 7


def test_a_group_has_bugs_and_foreign_programs_and_is_the_same_each_time() -> None:
    own = row("smallest", SAMPLE, "Return the smallest value above the limit, or None.")
    job = Job(own, row("largest", OTHER, "Return the largest value."), None, None, 1, 4, False)
    made = package_group(job)
    assert made is not None
    assert made == package_group(job)
    group: dict[str, Any] = made
    assert group["chosen"] not in [wrong["code"] for wrong in group["rejected"]]
    assert {"wrong-function"} < {wrong["kind"] for wrong in group["rejected"]}


def test_layouts_keep_the_program() -> None:
    forms = {styled(random.Random(n), SAMPLE, "python", "Doc.") for n in range(40)}
    assert {normalised for _, normalised in forms} == {True, False}
    assert all("best = value" in code for code, _ in forms)


def test_similar_functions_are_near_and_the_same_one_is_not() -> None:
    texts = [
        "sort a list of numbers", "sort a list of words by their length", "open a socket and read bytes",
        "read the length of an open socket", "sort a list of numbers", "count words",
    ]  # fmt: skip
    found = retrieval.vectors(texts, 1)
    near = retrieval.neighbours(found, found)
    assert near[0][0] == 1
    assert near[2][0] == 3
    assert 4 not in near[0]


def test_judged_samples_hold_each_program_with_its_verdict() -> None:
    group = {
        "problem": "P", "language": "python", "chosen": "right",
        "rejected": [{"kind": "token", "code": "wrong"}, {"kind": "line", "code": "worse"}],
    }  # fmt: skip
    line = judged(group, "name", random.Random(0))
    assert line["task"] == {"question": "P"}
    assert {sample["text"]: sample["passed"] for sample in line["samples"]} == {
        "right": True, "wrong": False, "worse": False,
    }  # fmt: skip


def test_a_packed_row_shows_every_program_exactly_its_own_tokens() -> None:
    rng = np.random.default_rng(0)
    groups = [group_of(rng, 90, (5, 40, 89)), group_of(rng, 70, (40,))]
    packed = packing.pack(groups)
    seen = packing.mask(packed.start[None], packed.base[None], packed.shared[None])[0]
    programs = [(packed.good[0], groups[0].chosen), (packed.good[3], groups[1].chosen)]
    programs += list(zip(packed.bad[:4], [*groups[0].rejected, *groups[1].rejected], strict=True))
    for last, ids in programs:
        visible = np.nonzero(seen[last])[0]
        assert packed.ids[visible].tolist() == ids.tolist()
        assert packed.positions[visible].tolist() == list(range(len(ids)))


def test_groups_fill_rows_without_being_cut() -> None:
    rng = np.random.default_rng(1)
    groups = [group_of(rng, int(rng.integers(20, 200)), (5, 10)) for _ in range(60)]
    rows = list(packing.rows(groups))
    assert sum(len(held) for held in rows) == 60
    assert all(sum(packing.size(group) for group in held) <= packing.ROW for held in rows)
    assert len(rows) < 60


def test_wrong_programs_that_do_not_fit_are_left_out() -> None:
    rng = np.random.default_rng(2)
    wide = group_of(rng, packing.ROW - 40, (0, 0))
    trimmed = packing.trim(wide)
    assert trimmed is not None
    assert len(trimmed.rejected) == 1
    assert packing.trim(group_of(rng, packing.ROW, (0,))) is None
