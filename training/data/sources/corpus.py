"""Builds the corpus: documented functions of public packages, deduplicated, held-out texts removed.

Result: `functions.jsonl.gz`, one JSON object a line
{"language","package","held_out","name","doc","code","method"}.
"""

import argparse
import gzip
import hashlib
import json
import random
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path, PurePosixPath

from training.data import mbpp
from training.data.heldout import hashes_of, load_hashes, shares_ngram
from training.data.sources import packages
from training.data.sources.extract import LANGUAGE_OF_SUFFIX, functions

MAX_FILE = 400_000
"""Characters; larger files are generated or bundled."""
MAX_PER_PACKAGE = 4000
"""Functions; keeps one big framework from drowning the rest."""
SKIPPED = re.compile(
    r"(^|/)(tests?|testing|__tests__|vendor|vendored|node_modules|third_party|locales?)/|\.min\.js|_pb2|bundle|\.d\.ts"
)


HASHES: frozenset[int] = frozenset()
"""Set once in every worker process."""


def start_worker(hashes: frozenset[int]) -> None:
    global HASHES
    HASHES = hashes


def sources(archive: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of the source files in a wheel, jar, module zip, npm tarball or folder."""
    if archive.is_dir():
        for path in sorted(archive.rglob("*")):
            if path.suffix in LANGUAGE_OF_SUFFIX and path.is_file() and path.stat().st_size < MAX_FILE:
                yield str(path.relative_to(archive)), path.read_text(errors="replace")
    elif archive.suffix == ".tgz":
        with tarfile.open(archive) as tar:
            for member in tar:
                if (
                    PurePosixPath(member.name).suffix in LANGUAGE_OF_SUFFIX
                    and member.isfile()
                    and member.size < MAX_FILE
                ):
                    file = tar.extractfile(member)
                    if file is not None:
                        yield member.name, file.read().decode(errors="replace")
    else:
        with zipfile.ZipFile(archive) as archived:
            for info in archived.infolist():
                if PurePosixPath(info.filename).suffix in LANGUAGE_OF_SUFFIX and info.file_size < MAX_FILE:
                    yield info.filename, archived.read(info).decode(errors="replace")


def archives(raw: Path) -> list[tuple[str, str, Path]]:
    """(registry, package, path) of everything the download step left under `raw`."""
    found = [("pypi", p.name.split("-")[0].replace("_", "-").lower(), p) for p in sorted(raw.glob("pypi/*.whl"))]
    found += [("npm", re.sub(r"-\d+\..*", "", p.name), p) for p in sorted(raw.glob("npm/*.tgz"))]
    cache = raw / "go/mod/cache/download"
    found += [("go", str(p.relative_to(cache)).split("/@v")[0], p) for p in sorted(cache.rglob("*.zip"))]
    found += [("crates", p.name, p) for p in sorted(raw.glob("crates/vendor/*"))]
    found += [("maven", re.sub(r"-\d+\..*", "", p.name), p) for p in sorted(raw.glob("maven/*.jar"))]
    return found


def kept_out(hash_file: Path, mbpp_file: Path) -> frozenset[int]:
    """13-grams of the acceptance sets and of every MBPP problem that is not for training."""
    own: set[int] = set()
    for item in mbpp.load(mbpp_file, range(1, mbpp.TRAIN.start)):
        own.update(hashes_of(item.text))
        own.update(hashes_of(item.code))
    return load_hashes(hash_file) | own


def read_package(job: tuple[str, str, Path]) -> list[dict[str, object]]:
    """The usable functions of one archive."""
    registry, package, archive = job
    rows: dict[str, dict[str, object]] = {}
    try:
        for path, text in sources(archive):
            if SKIPPED.search(path):
                continue
            for function in functions(LANGUAGE_OF_SUFFIX[PurePosixPath(path).suffix], text):
                key = hashlib.sha1(re.sub(r"\s+", "", function.code).encode(errors="replace")).hexdigest()
                rows.setdefault(key, {**function.__dict__, "key": key})
    except (zipfile.BadZipFile, tarfile.TarError, OSError):
        return []
    chosen = list(rows.values())
    random.Random(package).shuffle(chosen)
    chosen.sort(key=lambda row: bool(row["method"]))  # plain functions first: they stand alone
    held_out = package in packages.HELD_OUT.get(registry, ())
    return [
        {"package": f"{registry}:{package}", "held_out": held_out, **row}
        for row in chosen[:MAX_PER_PACKAGE]
        if not shares_ngram(f"{row['doc']}\n{row['code']}", HASHES)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder of downloaded packages")
    parser.add_argument("--heldout", type=Path, required=True, help="heldout-13grams.txt.gz")
    parser.add_argument("--mbpp", type=Path, required=True, help="its test and validation problems are kept out too")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    jobs = archives(arguments.raw)
    seen: set[object] = set()
    counts: Counter[str] = Counter()
    temporary = arguments.out.with_suffix(".part")
    # Held-out packages come first, so that a copy of their code elsewhere is the one that is dropped.
    jobs.sort(key=lambda job: job[1] not in packages.HELD_OUT.get(job[0], ()))
    with (
        Pool(arguments.workers, start_worker, (kept_out(arguments.heldout, arguments.mbpp),)) as pool,
        gzip.open(temporary, "wt", compresslevel=3) as out,
    ):
        for rows in pool.imap(read_package, jobs):
            for row in rows:
                key = row.pop("key")
                if key not in seen:
                    seen.add(key)
                    counts[str(row["language"])] += 1
                    out.write(json.dumps(row) + "\n")
    temporary.rename(arguments.out)
    print(f"{sum(counts.values())} functions: {dict(counts)}")


if __name__ == "__main__":
    main()
