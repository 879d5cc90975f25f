"""Held-out 13-grams: texts that share any with the acceptance sets are left out.

One hash a line in the list: the first 16 hex digits of the SHA-256 of 13
consecutive lower-cased tokens joined by single spaces.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\sA-Za-z0-9_]")
WINDOW = 13


def load_hashes(path: Path) -> frozenset[int]:
    """Reads the gzipped list; a hash is kept as the integer of its 16 hex digits."""
    with gzip.open(path, "rt") as lines:
        return frozenset(int(line, 16) for line in lines if line.strip())


def hashes_of(text: str) -> Iterator[int]:
    """The hash of every 13-gram of the text, as in the list."""
    tokens = [token.lower() for token in TOKEN.findall(text)]
    for start in range(len(tokens) - WINDOW + 1):
        digest = hashlib.sha256(" ".join(tokens[start : start + WINDOW]).encode("utf-8", "replace"))
        yield int(digest.hexdigest()[:16], 16)


def shares_ngram(text: str, hashes: frozenset[int]) -> bool:
    """Whether any 13 consecutive tokens of the text are in the held-out list."""
    return any(value in hashes for value in hashes_of(text))
