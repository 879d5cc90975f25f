"""Records values of the linear model's features, which test/unit/ranking/ngram.test.ts holds the server to.

    python -m training.parity.record_ngrams --out test/fixtures/ngram/values.json

The weight of bucket b is the upper byte of b · 2654435761 (32 bits) minus 128, so the fixture stores none.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from training.train.text_parts.ngrams import VERSION, counts

SCALE = 0.01
PROBLEM = "Write a function that returns the numbers of a JSONReader's f-values, used for x_two; größe.\nassert isUsed(Ab) == ABC"
PROGRAMS = {
    "the asked header": "\n  def isUsed( Ab ) : {\n    return 1",
    "words of the problem": "def returnNumbers(value_s, JSON):\n    for x in reading_two: use(x, ABCd, gr)\n    numb = isus",
    "nothing": "",
    "one token": "x",
    "layout": "def f(a):\n\n    if a:\r\n        return 1\n    # note\n\n\n",
    "the same with tabs and blanks": "\n\n\tdef f(a):\n\t\tif a:  \n\t\t\treturn 1\n\t\t# note",
    "dedents beyond the start": "  a\n b\nc\n   d\n  e\n f\ng\n\t\t\t\th\n\ti\n j",
    "five levels closed at once": "a\n b\n  c\n   d\n    e\n     f\ng",
    "repetition": "a = a + a\n" * 50,
    "names seen long ago": "a b c d e f g a b g f a(a, b) __x1 = Return return",
    "digits, words, punctuation": "x1=1.5e-10;_y__ = 0xFF\\'\"`~!@#$%^&*()[]{}|:;<>,.?/",
    "beyond ASCII": "größe = '😀😀 Ω' + \"\u0130\u00df\"  # \u2028 \u00a0 done",
    "half a surrogate pair": "s = '\ud83d' + 'x'",
    "control characters": "a\x00b\x0bc\x0cd\x7fe\x1cf",
    "longer than what is read": "f(x) ; " * 5000,
    "JavaScript": "function f(a) {\n  for (const x of a) {\n    if (x === 2) return x;\n  }\n}\n",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    values = []
    for bits in (8, 18):
        weights = ((np.arange(1 << bits, dtype=np.uint64) * 2654435761 & 0xFFFFFFFF) >> 24).astype(np.int64) - 128
        for name, program in PROGRAMS.items():
            for asked in ("", PROBLEM):
                buckets, often = counts(program, bits, asked)
                values.append(
                    {
                        "name": f"{name}, of {'a' if asked else 'no'} problem",
                        "bits": bits,
                        "problem": asked,
                        "program": program,
                        "value": SCALE * float(weights[buckets].astype(float) @ often),
                    }
                )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"version": VERSION, "scale": SCALE, "values": values}, indent=1) + "\n")


if __name__ == "__main__":
    main()
