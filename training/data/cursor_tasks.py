"""Cuts real functions of unseen packages into tasks at a cursor whose completions their own doctests can judge.

    python -m training.data.cursor_tasks FOLDER... --out tasks.jsonl [--limit 150]

A FOLDER is an unpacked wheel. A function is taken when its docstring has examples, they pass as it is, and they fail
when its body does nothing. The cursor is before a random statement of its body, after the indentation, and everything
up to the end of the function is missing. Each line: {"id", "prefix", "suffix", "original", "root", "module",
"function"}; prefix and suffix are windows of the file, cut at line breaks.
"""

import argparse
import ast
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from training.data import isolated_tests, json_lines

PREFIX_CHARACTERS = 1800
SUFFIX_CHARACTERS = 400
LINES = range(1, 13)
"""How many lines may be missing."""
SECONDS = 2.0

CHECK = """
import doctest, sys, types
sys.dont_write_bytecode = True
sys.path.insert(0, {root!r})
def check(source):
    module = types.ModuleType("candidate")
    module.__package__ = {package!r}
    sys.modules["candidate"] = module
    exec(compile(source, "candidate", "exec"), vars(module))
    attempted = 0
    for test in doctest.DocTestFinder(recurse=False).find(getattr(module, {function!r}), globs=dict(vars(module))):
        runner = doctest.DocTestRunner(verbose=False)
        failed, ran = runner.run(test, out=lambda text: None)
        assert failed == 0
        attempted += ran
    assert attempted
"""


@dataclass(frozen=True)
class Task:
    id: str
    prefix: str
    suffix: str
    original: str
    """What was cut out, without the indentation that the prefix ends with."""
    root: str
    """The folder that holds the package."""
    module: str
    """The module's file, relative to the root."""
    function: str


def filled(task: Task, completion: str) -> str:
    """The module's source with a completion in place of what was cut out."""
    source = (Path(task.root) / task.module).read_text(encoding="utf-8")
    place = source.index(task.prefix + task.original + task.suffix) + len(task.prefix)
    return source[:place] + completion + source[place + len(task.original) :]


def doctests_pass(task: Task, completions: list[str]) -> list[bool]:
    """For each completion, whether the function's examples give what they say."""
    package = ".".join(Path(task.module).parent.parts)
    setup = CHECK.format(root=task.root, package=package, function=task.function)
    programs = [f"source = {filled(task, completion)!r}" for completion in completions]
    return [count == 1 for count in isolated_tests.count_passed(programs, ["check(source)"], setup, SECONDS)]


def candidates(root: Path, path: Path) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Documented functions of a module with examples and a body, and the module's source."""
    source = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and ">>>" in (ast.get_docstring(node) or "") and len(node.body) > 1:
            yield node, source


def cut(root: Path, path: Path, node: ast.FunctionDef, source: str, rng: random.Random) -> Task | None:
    """The function without the end of its body, or None where no statement is a fitting place."""
    lines = source.splitlines(keepends=True)
    end = node.end_lineno or node.lineno
    places = [s for s in node.body[1:] if end - s.lineno + 1 in LINES and lines[s.lineno - 1][: s.col_offset].isspace()]
    if not places:
        return None
    place = rng.choice(places)
    before = "".join(lines[: place.lineno - 1]) + lines[place.lineno - 1][: place.col_offset]
    missing = "".join(lines[place.lineno - 1 : end])[place.col_offset :].rstrip("\n")
    after = source[len(before) + len(missing) :]
    if len(before) > PREFIX_CHARACTERS:
        before = before[before.index("\n", len(before) - PREFIX_CHARACTERS) + 1 :]
    if len(after) > SUFFIX_CHARACTERS:
        after = after[: after.rindex("\n", 0, SUFFIX_CHARACTERS) + 1]
    module = path.relative_to(root).as_posix()
    return Task(f"{module}:{node.name}", before, after, missing, str(root), module, node.name)


def tasks(root: Path, rng: random.Random) -> Iterator[Task]:
    """The tasks of one unpacked package."""
    for path in sorted(root.rglob("*.py")):
        for node, source in candidates(root, path):
            task = cut(root, path, node, source, rng)
            if task and source.count(task.prefix + task.original + task.suffix) == 1:
                right, empty = doctests_pass(task, [task.original, "pass"])
                if right and not empty:
                    yield task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--limit", type=int, help="tasks in all, chosen at random")
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    found = [task for folder in arguments.folders for task in tasks(folder.resolve(), rng)]
    rng.shuffle(found)
    print(f"{json_lines.write(arguments.out, (asdict(task) for task in found[: arguments.limit]))} tasks")


if __name__ == "__main__":
    main()
