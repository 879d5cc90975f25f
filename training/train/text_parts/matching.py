"""Whether a program is about its problem at all: word vectors of both, trained on documented functions.

A bag of words on each side (the neural bag of words of CodeSearchNet, Husain et al. 2019): a problem is the sum of its
words' vectors, a program the sum of its words' and tokens', and the match is the cosine between them. Trained so that
each function is nearest to its own documentation among 512 of its language: three minutes. What ships is a signed byte a
component; a cosine does not know the tables' scales. `matching.json` is what `codescaler models convert` takes from a
model's folder: {"version", "dimensions", "coefficient", "problem", "program"} (tables in base64, [2^bits, dimensions]);
reward = head + linear part + coefficient · cosine. docs/rendering.md defines the features, which are those of
server/ranking/text-parts/matching.ts.
"""

import argparse
import base64
import gzip
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.data import mbpp
from training.data.groups.pairs import VALIDATION_FUNCTIONS, rows_of
from training.data.heldout import load_hashes, shares_ngram
from training.data.prompts import problem, with_docstring
from training.train.text_parts import ngrams

VERSION = 1
BITS = 15
DIMENSIONS = 64
STREAMS = {"problem": 3, "words": 4, "tokens": 5}
BATCH = 512
RATE = 0.02
PHRASINGS = 2
MBPP_REPEATS = 4
MAX_LINES = 60
LEVELS = 127
Features = np.ndarray
"""Buckets, int32, each once, ascending."""


def distinct(found: list[np.ndarray]) -> Features:
    return np.unique(np.concatenate(found)).astype(np.int32) if found else np.zeros(0, np.int32)


@lru_cache(maxsize=16)
def problem_features(text: str, bits: int = BITS) -> Features:
    """Words, and pairs of neighbouring words."""
    return distinct(ngrams.grams(ngrams.word_list(text), (1, 2), STREAMS["problem"], bits))


def body(program: str) -> str:
    """What stands below the first line that is not blank, which the problem may have asked for; all of it where nothing does."""
    rest = program[ngrams.first_line(program).end() :]
    return rest if ngrams.BLANKS.sub("", rest) else program


def program_features(program: str, bits: int = BITS) -> Features:
    """Words of the body, and its tokens and pairs of them, without line starts."""
    text = body(program)
    tokens = [token for token in ngrams.tokens(text)[:-1] if token[0] != "\n"]
    return distinct(
        ngrams.grams(ngrams.word_list(text), (1,), STREAMS["words"], bits)
        + ngrams.grams(tokens, (1, 2), STREAMS["tokens"], bits)
    )


def direction(table: np.ndarray, features: Features) -> np.ndarray:
    """Unit vector of the features' sum; zeros where there are none."""
    total = table[features].astype(np.float64).sum(0)
    return total / max(float(np.linalg.norm(total)), 1e-12)


class Matching:
    """Tables [2^bits, dimensions] of problems' and of programs' features."""

    def __init__(self, of_problem: np.ndarray, of_program: np.ndarray) -> None:
        self.of_problem, self.of_program = of_problem, of_program
        self.bits = len(of_problem).bit_length() - 1

    def match(self, text: str, program: str) -> float:
        """Cosine between problem and program."""
        asked = direction(self.of_problem, problem_features(text, self.bits))
        return float(asked @ direction(self.of_program, program_features(program, self.bits)))

    def save(self, path: Path, coefficient: float) -> None:
        tables = {"problem": self.of_problem, "program": self.of_program}
        coded = {
            name: base64.b64encode(np.rint(table / np.abs(table).max() * LEVELS).astype(np.int8).tobytes()).decode()
            for name, table in tables.items()
        }
        path.write_text(
            json.dumps(
                {"version": VERSION, "dimensions": self.of_problem.shape[1], "coefficient": coefficient, **coded}
            )
        )

    @staticmethod
    def load(path: Path) -> "Matching":
        """The tables of a `matching.json`, as the server has them."""
        read = json.loads(path.read_text())
        if read["version"] != VERSION:
            raise SystemExit(f"{path} is of version {read['version']}; this is version {VERSION}. Train it again.")
        return Matching(
            *(
                np.frombuffer(base64.b64decode(read[name]), np.int8).reshape(-1, read["dimensions"])
                for name in ("problem", "program")
            )
        )


Example = tuple[str, list[Features], Features]
"""Language, the problem in several phrasings, the program."""


def example(row: dict[str, object]) -> Example:
    language, name, doc, code = (str(row[key]) for key in ("language", "name", "doc", "code"))
    rng = random.Random(f"{name}:{len(code)}:{doc[:40]}")
    asked = [problem_features(problem(rng, language, name, doc, code)) for _ in range(PHRASINGS)]
    return language, asked, program_features(with_docstring(language, code, doc) if rng.random() < 0.15 else code)


def mbpp_example(item: mbpp.Problem) -> Example:
    rng = random.Random(item.task_id)
    return "python", [problem_features(item.question(rng)) for _ in range(PHRASINGS)], program_features(item.code)


def training_rows(corpus: Path, seed: int) -> Iterator[dict[str, object]]:
    """Functions of the packages that are trained on, less those that `pairs.py` keeps aside for validation."""
    aside = {(row["package"], row["name"], row["code"]) for row in rows_of(corpus, VALIDATION_FUNCTIONS, 0.3, seed)[0]}
    with gzip.open(corpus, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if (
                not row["held_out"]
                and row["code"].count("\n") < MAX_LINES
                and (row["package"], row["name"], row["code"]) not in aside
            ):
                yield row


def side(table: nn.EmbeddingBag, features: list[Features]) -> Tensor:
    """[n, dimensions] unit vectors."""
    starts = np.cumsum([0, *map(len, features[:-1])])
    return F.normalize(
        table(torch.from_numpy(np.concatenate(features).astype(np.int64)), torch.from_numpy(starts)), dim=-1
    )


def fit(examples: list[Example], seed: int) -> tuple[Matching, float]:
    """One pass: every function against the others of a batch of its language, both ways; and the logits' scale."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    tables = [nn.EmbeddingBag(1 << BITS, DIMENSIONS, mode="sum", sparse=True) for _ in range(2)]
    for table in tables:
        nn.init.normal_(table.weight, std=0.1)
    scale = nn.Parameter(torch.tensor(2.5))
    found = [torch.optim.SparseAdam([table.weight for table in tables], lr=RATE), torch.optim.Adam([scale], lr=0.01)]
    order = rng.sample(range(len(examples)), len(examples))
    order.sort(key=lambda i: examples[i][0])
    size = min(BATCH, len(order))
    batches = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
    rng.shuffle(batches)
    for step, places in enumerate(batches):
        found[0].param_groups[0]["lr"] = RATE * max(0.02, 1 - step / len(batches))
        asked = side(tables[0], [rng.choice(examples[i][1]) for i in places])
        similar = asked @ side(tables[1], [examples[i][2] for i in places]).T * scale.exp()
        own = torch.arange(len(places))
        loss = (F.cross_entropy(similar, own) + F.cross_entropy(similar.T, own)) / 2
        loss.backward()
        for optimiser in found:
            optimiser.step()
            optimiser.zero_grad()
        if step % 50 == 49:
            print(f"batch {step + 1} of {len(batches)} loss {loss.item():.2f}", flush=True)
    return Matching(*(table.weight.detach().numpy() for table in tables)), float(scale.exp())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="matching.json")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    hashes = load_hashes(arguments.heldout)
    items = [
        item for item in mbpp.load(arguments.mbpp, mbpp.TRAIN) if not shares_ngram(f"{item.text}\n{item.code}", hashes)
    ]
    with Pool(arguments.workers) as pool:
        examples = list(pool.imap(example, training_rows(arguments.corpus, arguments.seed), chunksize=256))
    examples += [mbpp_example(item) for item in items] * MBPP_REPEATS
    examples = [one for one in examples if len(one[2]) and all(map(len, one[1]))]
    model, scale = fit(examples, arguments.seed)
    model.save(arguments.out, scale)
    print(f"{len(examples)} functions, coefficient {scale:.2f} until it is fitted beside the other parts")


if __name__ == "__main__":
    main()
