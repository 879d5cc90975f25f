"""A file of JSON lines that grows item by item, so that a stage that was stopped goes on where it was."""

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """The whole rows of a journal; a last line that was cut off is taken out of the file."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


def fill(
    path: Path, items: Iterable[Row], make: Callable[[Row], Row], parallel: int, progress: Callable[[int, int], None]
) -> list[Row]:
    """Makes what is missing, a row for each item, in any order; rows carry their item's "id".

    When `make` raises, nothing more is begun; what is under way ends and is kept, then the first error is raised.
    Returns all rows in the order of the items.
    """
    wanted = list(items)
    rows = {row["id"]: row for row in read(path)}
    missing = [item for item in wanted if item["id"] not in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    stopped = threading.Event()
    failure: BaseException | None = None

    def unless_stopped(item: Row) -> Row | None:
        return None if stopped.is_set() else make(item)

    with path.open("a", encoding="utf-8") as out, ThreadPoolExecutor(parallel) as pool:
        try:
            for future in as_completed([pool.submit(unless_stopped, item) for item in missing]):
                error = future.exception()
                if error is not None:
                    failure = failure or error
                    stopped.set()
                    continue
                row = future.result()
                if row is not None:
                    rows[row["id"]] = row
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                    out.flush()
                    progress(sum(item["id"] in rows for item in wanted), len(wanted))
        finally:
            stopped.set()
    if failure is not None:
        raise failure
    return [rows[item["id"]] for item in wanted]
