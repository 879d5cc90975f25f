"""Candidates that are no attempt at the problem: stubs, prose, other functions, other languages."""

import random
import re

PROSE = (
    "Here is a solution to the problem.",
    "I'm sorry, but I cannot help with that.",
    "The function should iterate over the input and return the result.",
    "You can solve this by using a loop.",
    "This function takes the given arguments and returns the expected output.",
    "Sure! Let me know if you need anything else.",
    "# TODO: implement",
    "# your code here",
    "...",
    "",
    "```",
    "print('Hello, world!')",
)


def stub(rng: random.Random, head: str, language: str) -> str:
    """A header with nothing, or nothing useful, below it."""
    if language == "python" and head:
        body = rng.choice(
            (
                "pass",
                "return None",
                "return",
                "raise NotImplementedError",
                "...",
                "# TODO",
                "return 0",
                "return []",
                "return True",
                'print("")',
            )
        )
        return f"{head}\n    {body}"
    if head:
        return f"{head} {{\n    {rng.choice(('return 0;', 'return null;', '// TODO', 'throw new Error();', '', 'return;'))}\n}}"
    return rng.choice(PROSE)


def prose(rng: random.Random, problem: str) -> str:
    """Words instead of a program; sometimes the problem itself."""
    return problem if rng.random() < 0.25 else rng.choice(PROSE)


def ending(rng: random.Random, code: str) -> str:
    """The program as replies end it: at its last character, with a newline, or with blank lines."""
    return code + rng.choices(("", "\n", "\n\n", "\n    "), (0.5, 0.3, 0.15, 0.05))[0]


def empty(rng: random.Random, problem: str, language: str) -> str:
    """Nothing, or comments alone."""
    mark = "#" if language == "python" else "//"
    about = problem.split("\n")[0][:80]
    return rng.choice(("", "\n", f"{mark} {about}", f"{mark} TODO", f"{mark} {about}\n{mark} Your code here", mark))


def constant(rng: random.Random, head: str, language: str, code: str) -> str:
    """The header and a result that ignores the arguments, or gives one of them back."""
    inside = re.search(r"\(([^()]*)\)", head)
    names = re.findall(r"[A-Za-z_]\w*", inside.group(1)) if inside else []
    literals = re.findall(r"\b\d+\b|\"[^\"\n]{0,12}\"|'[^'\n]{0,12}'", code) or ["1"]
    value = rng.choice(
        (
            "True",
            "False",
            "0",
            "1",
            "[]",
            '""',
            rng.choice(literals),
            names[0] if names else "None",
            f"len({names[-1]})" if names else "-1",
        )
    )
    if language == "python":
        return f"{head}\n    {rng.choice(('return ', 'print('))}{value}".replace(f"print({value}", f"print({value})")
    return (
        f"{head} {{\n    return {value.replace('True', 'true').replace('False', 'false').replace('None', 'null')};\n}}"
    )


def repeated(rng: random.Random, code: str) -> str | None:
    """The text falls into a loop, as small models do: its last lines come again and again, and the end is missing."""
    lines = code.split("\n")
    if len(lines) < 3:
        return None
    end = rng.randrange(2, len(lines) + 1)
    start = rng.randrange(max(1, end - 3), end)
    return "\n".join(lines[:end] + lines[start:end] * rng.randrange(2, 6))


def other_body(head: str, other_head: str, other: str) -> str | None:
    """The header that was asked for above the body of another function."""
    if not head or not other_head:
        return None
    body = other.partition(other_head)[2]
    return head + body if body.strip() else None


def renamed(code: str, old: str, new: str) -> str:
    """Another function's program under the name that was asked for."""
    return re.sub(rf"\b{re.escape(old)}\b", new, code) if old and new else code
