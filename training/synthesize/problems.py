"""New problems: what a model is asked for a combination of concepts, and what is taken of its reply."""

import random
import re
from collections.abc import Sequence

LEAST_WORDS, MOST_WORDS = 8, 220
EXAMPLES = 2
PROMPT = """Write one new programming problem for Python that combines these concepts: {concepts}.

The problem asks for one function, says exactly what goes in and what comes out, and can be solved in at most 30 lines. \
Name the function. Do not give a solution. Here are problems of the same kind; yours must be a different one:

{examples}

New problem:"""
PREFACE = re.compile(
    r"^\s*(?:here(?:'s| is)[^\n]*:|sure[^\n]*|certainly[^\n]*|(?:#+\s*|\*\*)?(?:new )?problem(?: statement)?\s*(?:\*\*)?:?\**)\s*",
    re.IGNORECASE,
)
"""What models say before a problem."""
SOLUTION = re.compile(r"\n\s*(?:#+\s*|\*\*)?(?:solution|answer|explanation|here(?:'s| is) (?:the|a))\b.*", re.I | re.S)
"""Where a model goes on with a solution that nobody asked for."""
REQUEST = re.compile(
    r"\b(?:write|create|implement|design|develop|build|define|given|you are given|you have|find|return|determine|compute|"
    r"calculate|count|check|convert|sort|remove|replace|merge|generate|print|reverse|extract|split)\b",
    re.IGNORECASE,
)
ANSWER = re.compile(
    r"\s*(?:in this (?:function|solution|code)|this (?:function|code|solution|problem is solved)|to solve|the (?:function|code|solution) (?:first|above|uses|works)|we (?:can|first|use))\b",
    re.I,
)
"""How a reply begins that explains a solution instead of asking for one."""
NEXT = re.compile(r"\n\s*(?:[#*]*\s*)(?:new problem|problem|question)\b[ \d]*[:.*]", re.IGNORECASE)
"""Where a model goes on with another problem."""
FIRST_SENTENCES = 120
"""A problem asks for something within so many characters."""
FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


def prompt(concepts: Sequence[str], seeds: Sequence[str], seed: int) -> str:
    """The request for a problem with these concepts, with examples of the seeds."""
    examples = random.Random(seed).sample(list(seeds), min(EXAMPLES, len(seeds)))
    shown = "\n\n".join(f"Problem: {text}" for text in examples)
    return PROMPT.format(concepts=", ".join(concepts), examples=shown)


def parse(reply: str) -> str | None:
    """The problem of a reply, or None where it asks for nothing or has no usable length."""
    text = reply.strip()
    for _ in range(3):
        text = PREFACE.sub("", text, count=1).strip()
    text = SOLUTION.sub("", "\n" + text).strip()
    code = [block for block in FENCE.findall(text) if re.search(r"\n[ \t]+return\b|\n[ \t]+for\b", block)]
    for block in code:  # a solution, where the signature alone would be part of the problem
        text = text.replace(block, "").strip()
    text = NEXT.split(text)[0].strip().removesuffix("**").strip()
    text = re.sub(r"\*\*(?=\n|$)", "", text, count=1) if text.count("**") % 2 else text
    if ANSWER.match(text) or not REQUEST.search(text[:FIRST_SENTENCES]):
        return None
    return text if LEAST_WORDS <= len(text.split()) <= MOST_WORDS else None
