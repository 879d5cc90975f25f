"""Records values of the matching part, which test/unit/ranking/matching.test.ts holds the server to.

    python -m training.parity.record_matching --out test/fixtures/matching/values.json

Component i of a table, row by row, is the upper byte of i · FACTORS[table] (32 bits) minus 128, so the fixture stores none.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from training.parity.record_ngrams import PROBLEM, PROGRAMS
from training.train.text_parts.matching import VERSION, Matching

FACTORS = {"problem": 2654435761, "program": 2246822519}
SIZES = ((8, 8), (15, 64))
"""Bits, dimensions."""
MORE = {
    "a blank line below the header": "def f(x):\n \t\r\n",
    "words below the header": "\n\ndef f(x):\n    return JSONReader(numbers, values)\n",
}
PROBLEMS = {"no": "", "a": PROBLEM, "a long": "Count the words. " * 9000, "a wordless": "1 + 1?"}


def table(factor: int, bits: int, dimensions: int) -> np.ndarray:
    upper = (np.arange(dimensions << bits, dtype=np.uint64) * factor & 0xFFFFFFFF) >> 24
    return (upper.astype(np.int64) - 128).astype(np.int8).reshape(-1, dimensions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    values = []
    for bits, dimensions in SIZES:
        model = Matching(*(table(factor, bits, dimensions) for factor in FACTORS.values()))
        for name, program in {**PROGRAMS, **MORE}.items():
            for which, problem in PROBLEMS.items():
                if which != "a" and program not in MORE.values() and program:
                    continue
                values.append(
                    {
                        "name": f"{name}, of {which} problem",
                        "bits": bits,
                        "dimensions": dimensions,
                        "problem": problem,
                        "program": program,
                        "value": model.match(problem, program),
                    }
                )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"version": VERSION, "values": values}, indent=1) + "\n")


if __name__ == "__main__":
    main()
