"""Preference groups: a problem, one right program and several wrong ones, as JSON lines.

{"source","language","problem","chosen","rejected":[{"kind","code"}]}. Sources:
`mbpp` (every rejected program was run and fails a test) and package names
(injected bugs, wrong functions, stubs). Written per split: train, validation
(MBPP 511–600 and some training packages' functions), test (MBPP 11–510, held-out packages).
"""

import argparse
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from multiprocessing import Pool
from pathlib import Path

from training.data import mbpp
from training.data.groups import mbpp_pairs, retrieval
from training.data.groups.wrong_programs import Job, Row, bugs, coarse_candidates, weak_candidates
from training.data.heldout import load_hashes, shares_ngram
from training.data.mutate import coarse, tree
from training.data.mutate.style import strip_comments
from training.data.prompts import problem, signature, with_docstring
from training.data.standalone import is_standalone

FINE_PER_GROUP = 4
MBPP_TRIES = 140
"""Mutants run per MBPP training problem; about two thirds fail their tests and differ."""
MBPP_GROUPS = 20
NORMALISED = 0.3
MAX_LINES = 45
VALIDATION_FUNCTIONS = 400


def styled(rng: random.Random, code: str, language: str, doc: str) -> tuple[str, bool]:
    """The right program in one of the layouts candidates come in, and whether it is normalised."""
    if language == "python" and rng.random() < NORMALISED:
        normal = tree.normalise(code)
        if normal is not None:
            code = normal
            if rng.random() < 0.2:
                code = with_docstring(language, code, doc)
            return code, True
    if rng.random() < 0.3:
        code = strip_comments(code, language)
    if rng.random() < 0.2:
        code = with_docstring(language, code, doc)
    return code, False


def package_group(job: Job) -> Row | None:
    """A group from a documented function, injected bugs and other functions as the wrong ones."""
    row = job.row
    rng = random.Random(f"{job.seed}:{row['package']}:{row['name']}:{len(str(row['code']))}")
    language, doc = str(row["language"]), str(row["doc"])
    raw = str(row["code"])
    beside = [
        signature(language, str(one["code"]))
        for one in (job.other, job.similar)
        if one is not None and one["language"] == language
    ]
    question = problem(rng, language, str(row["name"]), doc, raw, beside)
    code, normalised = styled(rng, raw, language, doc)
    if rng.random() < 0.9:
        code = code.strip()
    rejected = bugs(rng, code, language, normalised, job.count, job.count * 4)
    if len(rejected) < 2:
        return None
    rejected += (
        weak_candidates(rng, job, code, question)
        if job.training
        else coarse_candidates(rng, row, code, question, job.other)
    )
    if job.training:
        code, rejected = coarse.ending(rng, code), [(kind, coarse.ending(rng, text)) for kind, text in rejected]
    return {
        "source": row["package"],
        "language": language,
        "problem": question,
        "chosen": code,
        "rejected": [{"kind": kind, "code": text} for kind, text in rejected],
    }


def mbpp_groups(job: tuple[mbpp.Problem, list[mbpp.Problem], list[mbpp.Problem], int, int, int]) -> list[Row]:
    """The groups of one MBPP problem (for the pool)."""
    item, others, similar, seed, tries, groups = job
    return mbpp_pairs.groups(item, others, similar, bugs, seed, tries, groups)


def thinning(row: Row) -> float:
    """Chance that a training function is used: those whose text shows whether they are right come first."""
    if row["language"] != "python":
        return 0.06
    if row["method"]:
        return 0.05
    return 1.0 if is_standalone(str(row["code"])) else 0.15


def rows_of(corpus: Path, limit: int, share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """(training rows, held-out rows), shuffled; of the held-out ones other languages and methods are thinned out by `share`."""
    rng = random.Random(seed)
    train: list[Row] = []
    held: list[Row] = []
    with gzip.open(corpus, "rt") as text:
        for line in text:
            row = json.loads(line)
            held_out = row["held_out"]
            thin = (
                (1.0 if row["language"] == "python" else share) * (0.4 if row["method"] else 1.0)
                if held_out
                else thinning(row)
            )
            if rng.random() < thin and row["code"].count("\n") < MAX_LINES:
                (held if held_out else train).append(row)
    rng.shuffle(train)
    rng.shuffle(held)
    return train[:limit], held


def jobs_of(rows: list[Row], seed: int, count: int, training: bool) -> Iterator[Job]:
    """Each row with functions to take wrong programs from; similar ones for training only."""
    rng = random.Random(seed)
    places: dict[object, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        places[row["language"]].append(i)
    similar: dict[int, list[int]] = {}
    abroad: dict[int, list[int]] = {}
    if training:
        found = retrieval.vectors([f"{row['doc']} {row['name']}" for row in rows], seed)
        for language, own in places.items():
            others = [i for i in range(len(rows)) if rows[i]["language"] != language]
            for pool, target in ((own, similar), (others, abroad)):
                near = retrieval.neighbours(found[own], found[pool])
                target.update(
                    (i, [pool[j] for j in best if j >= 0 and pool[j] != i]) for i, best in zip(own, near, strict=True)
                )
    for i, row in enumerate(rows):
        other = rows[rng.choice(places[row["language"]])]
        alike, far = similar.get(i), abroad.get(i)
        yield Job(
            row, other, rows[rng.choice(alike)] if alike else None, rows[far[0]] if far else None, seed, count, training
        )


def write(path: Path, rows: Iterator[Row]) -> int:
    count = 0
    temporary = path.with_suffix(".part")
    with gzip.open(temporary, "wt", compresslevel=3) as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")
            count += 1
    temporary.rename(path)
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--functions", type=int, default=30_000)
    parser.add_argument("--tests", type=int, default=1500, help="functions of held-out packages to evaluate on")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--problems", type=int, help="only so many MBPP problems of a split, and validation functions, for a trial"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    seed = arguments.seed
    most = arguments.problems
    aside = VALIDATION_FUNCTIONS if most is None else most
    train, held = rows_of(arguments.corpus, arguments.functions + aside, 0.3, seed)
    hashes = load_hashes(arguments.heldout)
    training = [p for p in mbpp.load(arguments.mbpp, mbpp.TRAIN) if not shares_ngram(f"{p.text}\n{p.code}", hashes)]
    with Pool(arguments.workers) as pool:

        def made(rows: list[Row], training: bool = False) -> Iterator[Row]:
            return (
                row
                for row in pool.imap(
                    package_group, jobs_of(rows, seed, FINE_PER_GROUP - training, training), chunksize=64
                )
                if row
            )

        def run(items: list[mbpp.Problem], tries: int, groups: int) -> Iterator[Row]:
            rng = random.Random(seed)
            near = retrieval.neighbours(*[retrieval.vectors([item.text for item in items], seed)] * 2)
            jobs = []
            for item, best in zip(items, near, strict=True):
                random_ones = rng.sample([o for o in items if o is not item], 12)
                jobs.append(
                    (
                        item,
                        random_ones,
                        [items[i] for i in best if i >= 0 and items[i] is not item][:6],
                        seed,
                        tries,
                        groups,
                    )
                )
            return (row for rows in pool.imap(mbpp_groups, jobs, chunksize=2) for row in rows)

        steps: dict[str, Callable[[], Iterator[Row]]] = {
            "mbpp-train": lambda: run(training[:most], MBPP_TRIES, MBPP_GROUPS),
            "mbpp-validation": lambda: run(mbpp.load(arguments.mbpp, mbpp.VALIDATION)[:most], 24, 1),
            "packages-train": lambda: made(train[aside:], training=True),
            "packages-validation": lambda: made(train[:aside]),
            "packages-test": lambda: made(held[: arguments.tests]),
            "mbpp-test": lambda: run(mbpp.load(arguments.mbpp, mbpp.TEST)[:most], 24, 1),
        }
        for name, step in steps.items():
            path = arguments.out / f"{name}.jsonl.gz"
            if not path.exists():
                print(f"{name}: {write(path, step())} groups", flush=True)


if __name__ == "__main__":
    main()
