"""Bugs by editing whole lines: dropped, doubled, moved or wrongly indented statements, cuts."""

import ast
import random
import re
import warnings
from collections.abc import Callable


def parses(code: str) -> bool:
    """Whether Python accepts the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _statements(lines: list[str], language: str) -> list[int]:
    """Indices of lines that hold one whole simple statement, the header apart."""
    found = []
    for i, line in enumerate(lines[1:], 1):
        bare = line.strip()
        if language == "python":
            simple = (
                bare
                and not bare.endswith((":", ",", "(", "[", "{", "\\"))
                and not bare.startswith(("#", ")", "]", "}", '"', "'", "@"))
            )
        else:
            ends = (
                (";",)
                if language not in ("go", "javascript", "typescript")
                else (";", ")", *"abcdefghijklmnopqrstuvwxyz0123456789]")
            )
            simple = (
                bare.endswith(ends)
                and "{" not in bare
                and not bare.startswith(("//", "*", "/*", "}", ")", "case", "default"))
            )
        if simple and bare.count("(") == bare.count(")") and bare.count("[") == bare.count("]"):
            found.append(i)
    return found


def drop(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """A statement is missing."""
    places = _statements(lines, language)
    if len(places) < 2:
        return None
    i = rng.choice(places)
    return lines[:i] + lines[i + 1 :]


def double(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """A statement stands a second time, there or further down."""
    places = _statements(lines, language)
    if not places:
        return None
    i = rng.choice(places)
    j = rng.choice(places)
    moved = " " * _indent(lines[j]) + lines[i].strip()
    return [*lines[: j + 1], moved, *lines[j + 1 :]]


def swap(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """Two neighbouring statements change places."""
    places = _statements(lines, language)
    pairs = [
        i for i in places if i + 1 in places and _indent(lines[i]) == _indent(lines[i + 1]) and lines[i] != lines[i + 1]
    ]
    if not pairs:
        return None
    i = rng.choice(pairs)
    return [*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]]


def indent(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """A statement belongs to the wrong block: the classic `return` inside the loop."""
    if language != "python":
        return None
    options = []
    for i in _statements(lines, language):
        above, here = _indent(lines[i - 1]), _indent(lines[i])
        if lines[i - 1].strip() and above > here:
            options.append((i, above))
        if here > 4 and (i + 1 == len(lines) or _indent(lines[i + 1]) < here):
            options.append((i, here - 4))
    if not options:
        return None
    i, width = rng.choice(options)
    return [*lines[:i], " " * width + lines[i].strip(), *lines[i + 1 :]]


def result(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """A `return` loses its value, gives a constant, another variable, or becomes a print."""
    places = [i for i, line in enumerate(lines) if i and re.match(r"\s*return\b.+", line)]
    if not places:
        return None
    i = rng.choice(places)
    pad, value = re.match(r"(\s*)return\s*(.*)", lines[i]).groups()  # type: ignore[union-attr]
    names = sorted(
        set(re.findall(r"\b[a-z_]\w{0,15}\b", "\n".join(lines[:i]))) - {"def", "return", "if", "for", "in", "else"}
    )
    constants = (
        ["None", "True", "False", "0", "[]", '""', "-1"]
        if language == "python"
        else ["0", "false", "true", "null", "-1"]
    )
    end = ";" if value.endswith(";") else ""
    options = [
        f"{pad}return {rng.choice(constants)}{end}",
        f"{pad}return {rng.choice(names)}{end}" if names else "",
        "",
    ]
    if language == "python":
        options += [f"{pad}print({value})", f"{pad}return not {value}" if value[:1].isalpha() else ""]
    new = rng.choice([option for option in options if option != lines[i]])
    return lines[:i] + ([new] if new else []) + lines[i + 1 :]


def branch(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """A whole block is missing: header line and everything indented below it."""
    heads = [
        i
        for i, line in enumerate(lines)
        if i and re.match(r"\s*(\}?\s*else\b|elif|if|for|while|try|except|switch|match)\b", line)
    ]
    options = []
    for i in heads:
        end = i + 1
        while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > _indent(lines[i])):
            end += 1
        if language != "python" and end < len(lines) and lines[end].strip() in ("}", "};"):
            end += 1
        if end - i < len(lines) - 2:
            options.append((i, end))
    if not options:
        return None
    i, end = rng.choice(options)
    return lines[:i] + lines[end:]


def unwrap(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """A condition is missing: its block runs always."""
    if language != "python":
        return None
    options = []
    for i, line in enumerate(lines):
        if i and re.match(r"\s*if\b.*:$", line):
            end = i + 1
            while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > _indent(line)):
                end += 1
            if end == len(lines) or not re.match(r"\s*(else|elif)\b", lines[end]):
                options.append((i, end))
    if not options:
        return None
    i, end = rng.choice(options)
    width = _indent(lines[i + 1]) - _indent(lines[i])
    return lines[:i] + [line[width:] for line in lines[i + 1 : end]] + lines[end:]


def truncate(rng: random.Random, lines: list[str], language: str) -> list[str] | None:
    """The text stops early, at a line's end or within a line."""
    if len(lines) < 3:
        return None
    i = rng.randrange(max(1, len(lines) // 3), len(lines))
    cut = lines[:i]
    if rng.random() < 0.4 and lines[i].strip():
        cut.append(lines[i][: rng.randrange(_indent(lines[i]), len(lines[i]))])
    return cut


Edit = Callable[[random.Random, list[str], str], list[str] | None]
EDITS: dict[str, Edit] = {
    "drop": drop,
    "double": double,
    "swap": swap,
    "indent": indent,
    "result": result,
    "branch": branch,
    "unwrap": unwrap,
    "truncate": truncate,
}


def mutate(rng: random.Random, kind: str, code: str, language: str) -> str | None:
    """The code with one bug of the kind; except for cuts, Python must still parse."""
    lines = EDITS[kind](rng, code.split("\n"), language)
    if lines is None:
        return None
    out = "\n".join(lines)
    if kind != "truncate" and language == "python" and not parses(out):
        return None
    return out
