"""Files of JSON lines, gzipped where the name says so."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file, one a line; empty lines are skipped. Raises ValueError with the place of a bad line."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if not isinstance(row, dict):
                    raise ValueError(f"Line {number} of {path} is no JSON object.")
                yield row


def write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Writes the objects; the file appears whole or not at all. Returns how many there are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    count = 0
    compressed = path.suffix == ".gz"
    opened = gzip.open(temporary, "wt", encoding="utf-8") if compressed else temporary.open("w", encoding="utf-8")  # noqa: SIM115
    with opened as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    temporary.replace(path)
    return count
