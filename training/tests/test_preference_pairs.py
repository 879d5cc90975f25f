"""What is read from files of preference pairs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from training.train.finetune.preference_pairs import Pair, UnusablePairs, fingerprint, read, split

THEMIS = {
    "system": "Judge speed.",
    "input": "Add.",
    "chosen": "a + b",
    "rejected": "a - b",
    "aspect": 3,
    "language": "Python",
}
EDITOR = {
    "id": "w:r1", "at": 1, "language": "python", "problem": "Complete f.", "chosen": "return 1",
    "rejected": [{"code": "return 2"}, {"code": "return 3"}, {"code": "return 1"}],
}  # fmt: skip


def written(folder: Path, rows: Sequence[object], name: str = "pairs.jsonl") -> list[Path]:
    """The rows as a file; a text is a line as it is."""
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return [path]


def test_themis_rows_are_one_pair_each(tmp_path: Path) -> None:
    assert read(written(tmp_path, [THEMIS]), {}, 4, 1, True) == [Pair("Judge speed.", "Add.", "a + b", "a - b")]
    twice = written(tmp_path, [THEMIS, THEMIS], "p.jsonl.gz")
    assert read(twice, {}, 4, 1, False) == [Pair("", "Add.", "a + b", "a - b")]


def test_the_editors_export_is_a_pair_for_each_other_program(tmp_path: Path) -> None:
    found = read(written(tmp_path, [EDITOR]), {}, 4, 1, True)
    assert [(pair.chosen, pair.rejected) for pair in found] == [("return 1", "return 2"), ("return 1", "return 3")]
    assert found[0].conversation("x") == [
        {"role": "user", "content": "Complete f."},
        {"role": "assistant", "content": "x"},
    ]


def test_a_large_group_gives_as_many_pairs_as_wanted_the_same_each_time(tmp_path: Path) -> None:
    group = {**EDITOR, "rejected": [{"code": f"return {n}"} for n in range(2, 50)]}
    first = read(written(tmp_path, [group]), {}, 3, 1, True)
    assert len(first) == 3
    assert first == read(written(tmp_path, [group, group]), {}, 3, 1, True)


def test_columns_choose_rows(tmp_path: Path) -> None:
    rows = written(tmp_path, [THEMIS, {**THEMIS, "input": "Mul.", "aspect": 1}])
    assert [pair.problem for pair in read(rows, {"aspect": "1"}, 4, 1, True)] == ["Mul."]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"input": "a", "chosen": "b"}, "Row 1 .* is no preference pair"),
        ({**THEMIS, "chosen": 3}, "Row 1 .* is no preference pair"),
        ({**EDITOR, "rejected": [1]}, "Row 1 .* is no preference pair"),
        ("[]\n", "Line 1 .* is no JSON object"),
        ("nonsense\n", "no file of JSON lines"),
        ({**THEMIS, "rejected": "a + b"}, "no preference pairs that fit"),
    ],
)
def test_what_is_no_pair_is_named(tmp_path: Path, row: object, words: str) -> None:
    with pytest.raises(UnusablePairs, match=words):
        read(written(tmp_path, [row]), {}, 4, 1, True)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusablePairs, match="There is no file"):
        read([tmp_path / "absent.jsonl"], {}, 4, 1, True)


def test_a_problem_is_never_on_both_sides() -> None:
    pairs = [Pair("", f"problem {n // 3}", "a", f"b{n}") for n in range(3000)]
    training, validation = split(pairs, 0.1)
    assert len(training) + len(validation) == 3000
    assert 200 < len(validation) < 400
    assert not {pair.problem for pair in training} & {pair.problem for pair in validation}


def test_other_data_has_another_fingerprint() -> None:
    pairs = [Pair("", "p", "a", "b"), Pair("", "q", "a", "b")]
    assert fingerprint(pairs) != fingerprint(pairs[::-1])
    assert fingerprint(pairs) == fingerprint(list(pairs))
