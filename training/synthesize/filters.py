"""What is left out of new problems: near-duplicates, and texts that share 13 tokens with held-out sets."""

import re
from collections.abc import Iterable
from pathlib import Path

from datasketch import MinHash, MinHashLSH

from training.data import json_lines
from training.data.heldout import hashes_of, load_hashes, shares_ngram

PERMUTATIONS = 128
SHINGLE = 3
"""Words in a row: short enough for problems of twenty words, long enough that common phrases do not match."""
WORD = re.compile(r"\w+")


def signature(text: str) -> MinHash:
    """The MinHash of the text's shingles of lower-cased words."""
    words = WORD.findall(text.lower())
    shingles = {" ".join(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
    made = MinHash(num_perm=PERMUTATIONS, seed=1)
    made.update_batch([shingle.encode() for shingle in sorted(shingles)])
    return made


def duplicates(texts: list[str], known: Iterable[str], threshold: float) -> dict[int, int | None]:
    """The texts that resemble an earlier one (its place) or one of the known ones (None).

    Resemblance is the estimated Jaccard similarity of their shingles, at least `threshold`.
    """
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    signatures: dict[str, MinHash] = {}

    def near(made: MinHash) -> list[str]:
        return [key for key in index.query(made) if made.jaccard(signatures[key]) >= threshold]

    for number, text in enumerate(known):
        signatures[f"known-{number}"] = signature(text)
        index.insert(f"known-{number}", signatures[f"known-{number}"])
    found: dict[int, int | None] = {}
    for place, text in enumerate(texts):
        made = signature(text)
        matches = near(made)
        if matches:
            own = [int(key) for key in matches if not key.startswith("known-")]
            found[place] = min(own) if len(own) == len(matches) else None
        else:
            signatures[str(place)] = made
            index.insert(str(place), made)
    return found


def held_out(hash_file: Path | None, files: Iterable[Path]) -> frozenset[int]:
    """Hashes of 13-grams that no new problem may share: the list of hashes, and every text of the files.

    A file of JSON lines counts with all texts in it, any other file as one text.
    """
    hashes = set(load_hashes(hash_file)) if hash_file is not None else set()
    for path in files:
        lines = path.suffix in (".jsonl", ".gz")
        texts = (text for row in json_lines.read(path) for text in _texts(row)) if lines else [path.read_text()]
        for text in texts:
            hashes.update(hashes_of(text))
    return frozenset(hashes)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def contaminated(text: str, hashes: frozenset[int]) -> bool:
    """Whether 13 tokens in a row of the text are held out."""
    return shares_ngram(text, hashes)
