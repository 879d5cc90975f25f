"""What is read from files of preference pairs: `python -m unittest test_preference_pairs`. Standard library only."""

from __future__ import annotations

import gzip
import json
import tempfile
import unittest
from pathlib import Path

from preference_pairs import Pair, UnusablePairs, fingerprint, read, split

THEMIS = {"system": "Judge speed.", "input": "Add.", "chosen": "a + b", "rejected": "a - b", "aspect": 3, "language": "Python"}
EDITOR = {
    "id": "w:r1", "at": 1, "language": "python", "problem": "Complete f.", "chosen": "return 1",
    "rejected": [{"code": "return 2"}, {"code": "return 3"}, {"code": "return 1"}],
}  # fmt: skip


class Pairs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, rows: list[object], name: str = "pairs.jsonl") -> Path:
        path = self.folder / name
        opener = gzip.open if name.endswith(".gz") else open
        with opener(path, "wt", encoding="utf-8") as lines:
            lines.writelines(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
        return path

    def read(self, rows: list[object], name: str = "pairs.jsonl", where: dict[str, str] | None = None, negatives: int = 4, system: bool = True) -> list[Pair]:
        return read([self.file(rows, name)], where or {}, negatives, 1, system)

    def test_themis_rows_are_one_pair_each(self) -> None:
        self.assertEqual(self.read([THEMIS]), [Pair("Judge speed.", "Add.", "a + b", "a - b")])
        self.assertEqual(self.read([THEMIS, THEMIS], "p.jsonl.gz", system=False), [Pair("", "Add.", "a + b", "a - b")])

    def test_the_editors_export_is_a_pair_for_each_other_program(self) -> None:
        found = self.read([EDITOR])
        self.assertEqual([(pair.chosen, pair.rejected) for pair in found], [("return 1", "return 2"), ("return 1", "return 3")])
        self.assertEqual(found[0].conversation("x"), [{"role": "user", "content": "Complete f."}, {"role": "assistant", "content": "x"}])

    def test_a_large_group_gives_as_many_pairs_as_wanted_the_same_each_time(self) -> None:
        group = {**EDITOR, "rejected": [{"code": f"return {n}"} for n in range(2, 50)]}
        first = self.read([group], negatives=3)
        self.assertEqual(len(first), 3)
        self.assertEqual(first, self.read([group, group], negatives=3))

    def test_columns_choose_rows(self) -> None:
        other = {**THEMIS, "input": "Mul.", "aspect": 1}
        self.assertEqual([pair.problem for pair in self.read([THEMIS, other], where={"aspect": "1"})], ["Mul."])

    def test_what_is_no_pair_is_named(self) -> None:
        for rows, words in (
            ([{"input": "a", "chosen": "b"}], "Row 1 .* is no preference pair"),
            ([{**THEMIS, "chosen": 3}], "Row 1 .* is no preference pair"),
            ([{**EDITOR, "rejected": [1]}], "Row 1 .* is no preference pair"),
            (["[]\n"], "Line 1 .* is no JSON object"),
            (["nonsense\n"], "no file of JSON lines"),
            ([{**THEMIS, "rejected": "a + b"}], "no preference pairs that fit"),
        ):
            with self.subTest(words), self.assertRaisesRegex(UnusablePairs, words):
                self.read(rows)
        with self.assertRaisesRegex(UnusablePairs, "There is no file"):
            read([self.folder / "absent.jsonl"], {}, 4, 1, True)

    def test_a_problem_is_never_on_both_sides(self) -> None:
        pairs = [Pair("", f"problem {n // 3}", "a", f"b{n}") for n in range(3000)]
        training, validation = split(pairs, 0.1)
        self.assertEqual(len(training) + len(validation), 3000)
        self.assertTrue(200 < len(validation) < 400, len(validation))
        self.assertFalse({pair.problem for pair in training} & {pair.problem for pair in validation})

    def test_other_data_has_another_fingerprint(self) -> None:
        pairs = [Pair("", "p", "a", "b"), Pair("", "q", "a", "b")]
        self.assertNotEqual(fingerprint(pairs), fingerprint(pairs[::-1]))
        self.assertEqual(fingerprint(pairs), fingerprint(list(pairs)))


if __name__ == "__main__":
    unittest.main()
