"""Similar functions by their documentation: what a model writes when it half understands the question.

TF-IDF over words of documentation and name, hashed into dense random directions
(Johnson–Lindenstrauss), so that one matrix product finds everyone's neighbours.
"""

import re
import zlib
from collections import Counter

import numpy as np

DIRECTIONS = 320
BLOCK = 2048
NEIGHBOURS = 12
SAME = 0.9
"""Above it two functions are likely the same one, in two packages or two versions."""
WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}|\d+")


def words(text: str) -> list[str]:
    """Lower-cased words, also of names in camel and snake case, without plural and verb endings."""
    return [re.sub(r"(?:ing|ed|es|s)$", "", word.lower()) for word in WORD.findall(text)]


def vectors(texts: list[str], seed: int) -> np.ndarray:
    """[n, DIRECTIONS] unit rows; the same word has the same random direction."""
    counts = [Counter(words(text)) for text in texts]
    frequency = Counter(word for count in counts for word in count)
    direction = {
        word: np.random.default_rng((seed, zlib.crc32(word.encode()))).standard_normal(DIRECTIONS, np.float32)
        * np.float32(np.log(len(texts) / n) / DIRECTIONS**0.5)
        for word, n in frequency.items()
        if n > 1
    }
    out = np.zeros((len(texts), DIRECTIONS), np.float32)
    for row, count in enumerate(counts):
        for word, n in count.items():
            if word in direction:
                out[row] += direction[word] * np.float32(1 + np.log(n))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)


def neighbours(queries: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """[n, NEIGHBOURS] indices into the pool, most similar first; -1 where the next one is as good as the same."""
    found = np.full((len(queries), NEIGHBOURS), -1)
    for start in range(0, len(queries), BLOCK):
        near = queries[start : start + BLOCK] @ pool.T
        near[near > SAME] = -1.0
        count = min(NEIGHBOURS, near.shape[1])
        best = np.argpartition(-near, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(near, best, 1)
        order = np.argsort(-values, axis=1, kind="stable")
        best, values = np.take_along_axis(best, order, 1), np.take_along_axis(values, order, 1)
        found[start : start + BLOCK, :count] = np.where(values > 0, best, -1)
    return found
