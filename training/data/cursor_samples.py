"""Samples of a real model at the cursor of cut functions, judged by their doctests.

    python -m training.data.cursor_samples tasks.jsonl --server http://127.0.0.1:8080 --out judged.jsonl

The server is llama.cpp's (`/infill`: the model's own way of filling in). A completion ends where a line is indented
less than the cursor: the function is over. It is right when it is what was cut out, or the function's doctests pass
with it. Each line is a problem as `codescaler eval best-of-n` reads it: {"id", "task": {"prefix", "suffix"},
"language", "samples": [{"text", "passed"}]}. The packages that the tasks were cut from must be where they were.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from training.data import json_lines
from training.data.cursor_tasks import Task, doctests_pass
from training.data.samples import SECONDS


def within_block(text: str, indentation: int) -> str:
    """The text up to the first line that is indented less than the cursor, without empty lines at its end."""
    first, *lines = text.split("\n")
    kept = [first]
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) < indentation:
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def indentation(prefix: str) -> int:
    """Columns before the cursor, which stands after the indentation of its line."""
    line = prefix.rpartition("\n")[2]
    return len(line) - len(line.lstrip())


def ask(server: str, task: Task, temperature: float, top_p: float, max_tokens: int, seed: int) -> str:
    """One completion. Raises OSError when the server cannot be reached, ValueError when it refuses."""
    body = {
        "input_prefix": task.prefix,
        "input_suffix": task.suffix,
        "n_predict": max_tokens,
        "temperature": temperature,
        "top_p": top_p,
        "seed": seed,
    }
    url = f"{server.rstrip('/')}/infill"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return within_block(str(json.load(response)["content"]), indentation(task.prefix))
    except urllib.error.HTTPError as refused:
        said = " ".join(refused.read(500).decode(errors="replace").split())
        raise ValueError(f"{url} answered {refused.code}: {said}") from refused


def judged(task: Task, texts: list[str]) -> dict[str, Any]:
    """The task with completions and their verdicts; equal ones run once."""
    unique = [text for text in dict.fromkeys(texts) if text.strip() and text != task.original]
    right = {text for text, ok in zip(unique, doctests_pass(task, unique), strict=True) if ok} | {task.original}
    return {
        "id": task.id,
        "task": {"prefix": task.prefix, "suffix": task.suffix},
        "language": "python",
        "samples": [{"text": text, "passed": text in right} for text in texts],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", type=Path, help="lines of cursor_tasks.py")
    parser.add_argument("--server", required=True)
    parser.add_argument("--count", type=int, default=8, help="samples a task")
    parser.add_argument("--limit", type=int, help="tasks in all")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True, help="goes on where it ends")
    arguments = parser.parse_args()
    tasks = [Task(**row) for row in json_lines.read(arguments.tasks)][: arguments.limit]
    done = {row["id"] for row in json_lines.read(arguments.out)} if arguments.out.exists() else set()
    with ThreadPoolExecutor(arguments.count) as pool, arguments.out.open("a", encoding="utf-8") as out:
        for place, task in enumerate(tasks):
            if task.id in done:
                continue
            seeds = [arguments.seed * 1_000_000 + place * 1_000 + sample for sample in range(arguments.count)]
            asked = [
                pool.submit(
                    ask, arguments.server, task, arguments.temperature, arguments.top_p, arguments.max_tokens, seed
                )
                for seed in seeds
            ]
            try:
                texts = [one.result() for one in asked]
            except (OSError, ValueError) as error:
                sys.exit(f"Sampling stopped at {task.id}: {error}. Run the same command to go on.")
            out.write(json.dumps(judged(task, texts), ensure_ascii=False) + "\n")
            out.flush()
            print(f"{place + 1} of {len(tasks)} tasks", flush=True)


if __name__ == "__main__":
    main()
