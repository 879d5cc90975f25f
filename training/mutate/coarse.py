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
        body = rng.choice(("pass", "return None", "return", "raise NotImplementedError", "...", "# TODO", "return 0", "return []", "return True", 'print("")'))
        return f"{head}\n    {body}"
    if head:
        return f"{head} {{\n    {rng.choice(('return 0;', 'return null;', '// TODO', 'throw new Error();', '', 'return;'))}\n}}"
    return rng.choice(PROSE)


def prose(rng: random.Random, problem: str) -> str:
    """Words instead of a program; sometimes the problem itself."""
    return problem if rng.random() < 0.25 else rng.choice(PROSE)


def renamed(code: str, old: str, new: str) -> str:
    """Another function's program under the name that was asked for."""
    return re.sub(rf"\b{re.escape(old)}\b", new, code) if old and new else code
