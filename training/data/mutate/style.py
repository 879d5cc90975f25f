"""Behaviour-preserving rewrites: the same program as another author would have laid it out."""

import ast
import random
import re
import warnings

from training.data.mutate.lexer import KEYWORDS, lex

POOL = (
    "a b c d n m k x y z i j p q r s t v w arr nums lst values items data result res ans out total count cnt cur current prev "
    "left right lo hi start end idx index num val value item word text string chars size length temp tmp acc best best_so_far "
    "seen found flag key first second low high mid matrix row col rows cols grid sequence elements output ret sum_ max_val min_val"
).split()


def strip_comments(code: str, language: str) -> str:
    """The code without comments and without the blank lines they leave."""
    text = "".join(token.text for token in lex(code, language) if token.kind != "comment")
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip())


def rename_variables(rng: random.Random, code: str) -> str | None:
    """Python with its parameters and local variables renamed, or None where that is not safe."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    local: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            local.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            local.add(node.id)
        elif isinstance(node, ast.keyword) and node.arg:
            return None  # a keyword may name one of our parameters
    others = set(re.findall(r"[A-Za-z_]\w*", code)) - local
    old = sorted(local - KEYWORDS)
    free = [name for name in POOL if name not in others]
    if not old or len(free) < len(old):
        return None
    new = dict(zip(old, rng.sample(free, len(old)), strict=True))
    tokens = lex(code, "python")
    out = []
    for i, token in enumerate(tokens):
        attribute = i > 0 and tokens[i - 1].text == "."
        out.append(new.get(token.text, token.text) if token.kind == "name" and not attribute else token.text)
    return "".join(out)
