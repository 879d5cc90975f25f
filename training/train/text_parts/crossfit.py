"""Adds to preference groups what the n-gram term says of each program, fitted on other problems.

Writes the groups again with a field `linear`: the term's rewards of the right program and of each
wrong one. Problems (MBPP) and packages are dealt into folds, and each fold is read by a term that
has not seen it: on its own training pairs the term is nearly always right, which would teach the
transformer that there is nothing left to learn.
"""

import argparse
import gzip
import json
import zlib
from pathlib import Path

from training.data import json_lines
from training.train.text_parts.linear import LinearReward

FOLDS = 2
Row = dict[str, object]


def fold_of(row: Row) -> int:
    return zlib.crc32(str(row.get("task_id", row["source"])).encode()) % FOLDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True, help="folder for files of the same names")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = {path: list(json_lines.read(path)) for path in arguments.groups}
    terms = []
    for fold in range(FOLDS):
        term = LinearReward()
        rows = [row for found in files.values() for row in found if fold_of(row) != fold]
        term.fit(
            [(row["problem"], row["chosen"], wrong["code"]) for row in rows for wrong in row["rejected"]],
            arguments.epochs,
            arguments.seed,
        )
        terms.append(term)
    right = count = 0
    for path, rows in files.items():
        with gzip.open(arguments.out / path.name, "wt", compresslevel=3) as out:
            for row in rows:
                term = terms[fold_of(row)]
                rewards = [
                    term.reward(row["problem"], code)
                    for code in (row["chosen"], *(wrong["code"] for wrong in row["rejected"]))
                ]
                right += sum(rewards[0] > other for other in rewards[1:])
                count += len(rewards) - 1
                out.write(json.dumps({**row, "linear": [round(value, 4) for value in rewards]}) + "\n")
    print(f"{count} pairs, {right / count:.3f} in the right order by terms that have not seen them")


if __name__ == "__main__":
    main()
