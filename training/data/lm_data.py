"""The language-model stage's text as one array of token ids, in the form of the reward input."""

import argparse
import gzip
import json
import random
from collections import deque
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.data import mbpp
from training.data.heldout import load_hashes, shares_ngram
from training.data.prompts import problem, signature, with_docstring
from training.data.standalone import is_standalone
from training.train.tokenizer import render

OTHER_LANGUAGES = 0.15
"""Share of the non-Python functions that is kept: the bars are mostly Python."""
METHODS = 0.15
"""Share of Python's methods kept; their `self` carries context that a problem never has."""
LEANING = 0.5
"""Share kept of Python functions that lean on their module's helpers."""
STANDALONE = 2
"""How often a function that stands alone is shown, each time phrased anew."""
MBPP_REPEATS = 12
"""MBPP's few training problems are shown several times, each time phrased anew."""
CHUNK = 20_000
BESIDE = 3
"""Headers of the same package that a problem may name as what there is to use."""


def showings(rng: random.Random, row: dict[str, object]) -> int:
    """How often the function is shown."""
    if row["language"] != "python":
        return rng.random() < OTHER_LANGUAGES
    if row["method"]:
        return rng.random() < METHODS
    return STANDALONE if is_standalone(str(row["code"])) else rng.random() < LEANING


def texts(corpus: Path, mbpp_file: Path, hash_file: Path, seed: int) -> list[str]:
    """Rendered pairs of problem and program, shuffled."""
    rng = random.Random(seed)
    found: list[str] = []
    headers: deque[tuple[str, str]] = deque(maxlen=BESIDE)
    with gzip.open(corpus, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if row["held_out"]:
                continue
            beside = [head for package, head in headers if package == row["package"]]
            headers.append((row["package"], signature(row["language"], row["code"])))
            for _ in range(showings(rng, row)):
                question = problem(rng, row["language"], row["name"], row["doc"], row["code"], beside)
                code = row["code"]
                if rng.random() < 0.2:
                    code = with_docstring(row["language"], code, row["doc"])
                found.append(render(question, code))
    hashes = load_hashes(hash_file)
    for item in mbpp.load(mbpp_file, mbpp.TRAIN):
        if shares_ngram(f"{item.text}\n{item.code}", hashes):
            continue
        for _ in range(MBPP_REPEATS):
            found.append(render(item.question(rng), item.code))
    rng.shuffle(found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True, help="heldout-13grams.txt.gz")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help=".npy of uint16 ids")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    rendered = texts(arguments.corpus, arguments.mbpp, arguments.heldout, arguments.seed)
    parts = []
    for start in range(0, len(rendered), CHUNK):
        for encoding in tokenizer.encode_batch(rendered[start : start + CHUNK], add_special_tokens=False):
            parts.append(np.array(encoding.ids, dtype=np.uint16))
    ids = np.concatenate(parts)
    np.save(arguments.out, ids)
    print(f"{len(rendered)} texts, {len(ids)} tokens, {len(ids) / len(rendered):.0f} a text")


if __name__ == "__main__":
    main()
