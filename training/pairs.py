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
from collections.abc import Callable, Iterator
from multiprocessing import Pool
from pathlib import Path

import mbpp
import mbpp_pairs
from heldout import load_hashes, shares_ngram
from mutate import coarse, lines, tokens, tree
from mutate.style import strip_comments
from prompts import problem, signature, with_docstring

FINE = [*[("token", kind) for kind in tokens.EDITS], *[("line", kind) for kind in lines.EDITS if kind != "truncate"]]
FINE_PER_GROUP = 4
MBPP_TRIES = 140
"""Mutants run per MBPP training problem; about two thirds fail their tests and differ."""
MBPP_GROUPS = 20
NORMALISED = 0.3
MAX_LINES = 45

Row = dict[str, object]


def fine(rng: random.Random, code: str, language: str, normalised: bool) -> tuple[str, str] | None:
    """One subtle bug by one of the independent mutators, one in six times two of them."""
    if language == "python" and (normalised or rng.random() < 0.12) and rng.random() < 0.6:
        return tree.mutate(rng, code)
    family, kind = rng.choice(FINE)
    mutated = (tokens if family == "token" else lines).mutate(rng, kind, code, language)
    if mutated is not None and rng.random() < 0.16:
        family, second = rng.choice(FINE)
        mutated = (tokens if family == "token" else lines).mutate(rng, second, mutated, language) or mutated
    if mutated is None or mutated == code:
        return None
    if language == "python" and not lines.parses(mutated):
        return None
    return kind, mutated


def bugs(rng: random.Random, code: str, language: str, normalised: bool, count: int, tries: int) -> list[tuple[str, str]]:
    """Up to `count` different mutants."""
    found: dict[str, str] = {}
    for _ in range(tries):
        made = fine(rng, code, language, normalised)
        if made is not None and made[1].split() != code.split():
            found.setdefault(made[1], made[0])
        elif made is not None and made[0] == "indent" and made[1] != code:
            found.setdefault(made[1], made[0])
        if len(found) >= count:
            break
    return [(kind, text) for text, kind in found.items()]


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


def coarse_candidates(rng: random.Random, row: Row, code: str, question: str, other: Row) -> list[tuple[str, str]]:
    """One or two of: another function (often under the asked name), a cut, a stub, prose."""
    language, name = str(row["language"]), str(row["name"])
    found = []
    wrong = str(other["code"])
    if rng.random() < 0.7:
        wrong = coarse.renamed(wrong, str(other["name"]), name)
    found.append(("wrong-function", wrong))
    draw = rng.random()
    if draw < 0.3:
        cut = lines.mutate(rng, "truncate", code, language)
        if cut and cut != code:
            found.append(("truncated", cut))
    elif draw < 0.5:
        found.append(("stub", coarse.stub(rng, signature(language, code), language)))
    elif draw < 0.6:
        found.append(("prose", coarse.prose(rng, question)))
    return found


def package_group(job: tuple[Row, Row, int, int]) -> Row | None:
    """A group from a documented function and another function as the wrong one."""
    row, other, seed, count = job
    rng = random.Random(f"{seed}:{row['package']}:{row['name']}:{len(str(row['code']))}")
    language, doc = str(row["language"]), str(row["doc"])
    raw = str(row["code"])
    question = problem(rng, language, str(row["name"]), doc, raw)
    code, normalised = styled(rng, raw, language, doc)
    if rng.random() < 0.9:
        code = code.strip()
    rejected = bugs(rng, code, language, normalised, count, count * 4)
    if len(rejected) < 2:
        return None
    rejected += coarse_candidates(rng, row, code, question, other)
    return {"source": row["package"], "language": language, "problem": question, "chosen": code,
            "rejected": [{"kind": kind, "code": text} for kind, text in rejected]}


def mbpp_groups(job: tuple[mbpp.Problem, list[mbpp.Problem], int, int, int]) -> list[Row]:
    """The groups of one MBPP problem (for the pool)."""
    item, others, seed, tries, groups = job
    return mbpp_pairs.groups(item, others, bugs, seed, tries, groups)


def rows_of(corpus: Path, limit: int, share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """(training rows, held-out rows), shuffled; other languages and methods are thinned out."""
    rng = random.Random(seed)
    train: list[Row] = []
    held: list[Row] = []
    with gzip.open(corpus, "rt") as text:
        for line in text:
            row = json.loads(line)
            thin = (1.0 if row["language"] == "python" else share) * (0.4 if row["method"] else 1.0)
            if rng.random() < thin and row["code"].count("\n") < MAX_LINES:
                (held if row["held_out"] else train).append(row)
    rng.shuffle(train)
    rng.shuffle(held)
    return train[:limit], held


def jobs_of(rows: list[Row], seed: int, count: int) -> Iterator[tuple[Row, Row, int, int]]:
    """Each row with a wrong function of the same language."""
    rng = random.Random(seed)
    by_language: dict[object, list[Row]] = {}
    for row in rows:
        by_language.setdefault(row["language"], []).append(row)
    for row in rows:
        yield row, rng.choice(by_language[row["language"]]), seed, count


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
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    seed = arguments.seed
    train, held = rows_of(arguments.corpus, arguments.functions + 400, 0.3, seed)
    hashes = load_hashes(arguments.heldout)
    training = [p for p in mbpp.load(arguments.mbpp, mbpp.TRAIN) if not shares_ngram(f"{p.text}\n{p.code}", hashes)]
    with Pool(arguments.workers) as pool:
        def made(rows: list[Row]) -> Iterator[Row]:
            return (row for row in pool.imap(package_group, jobs_of(rows, seed, FINE_PER_GROUP), chunksize=64) if row)

        def run(items: list[mbpp.Problem], tries: int, groups: int) -> Iterator[Row]:
            rng = random.Random(seed)
            jobs = [(item, rng.sample([o for o in items if o is not item], 12), seed, tries, groups) for item in items]
            return (row for rows in pool.imap(mbpp_groups, jobs, chunksize=2) for row in rows)

        steps: dict[str, Callable[[], Iterator[Row]]] = {
            "mbpp-train": lambda: run(training, MBPP_TRIES, MBPP_GROUPS),
            "mbpp-validation": lambda: run(mbpp.load(arguments.mbpp, mbpp.VALIDATION), 24, 1),
            "packages-train": lambda: made(train[400:]),
            "packages-validation": lambda: made(train[:400]),
            "packages-test": lambda: made(held[: arguments.tests]),
            "mbpp-test": lambda: run(mbpp.load(arguments.mbpp, mbpp.TEST), 24, 1),
        }
        for name, step in steps.items():
            path = arguments.out / f"{name}.jsonl.gz"
            if not path.exists():
                print(f"{name}: {write(path, step())} groups", flush=True)


if __name__ == "__main__":
    main()
