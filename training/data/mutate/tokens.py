"""Bugs by editing tokens: layout stays as it was, any language. One edit each."""

import random
from collections.abc import Callable

from training.data.mutate.lexer import KEYWORDS, Token, lex, significant

SWAPS: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">", ">="),
    "<=": ("<", ">=", ">"),
    ">": (">=", "<", "<="),
    ">=": (">", "<=", "<"),
    "==": ("!=", ">=", "<="),
    "!=": ("==",),
    "===": ("!==",),
    "!==": ("===",),
    "+": ("-", "*"),
    "-": ("+",),
    "*": ("+", "/", "**"),
    "/": ("*", "//", "%"),
    "//": ("/", "%", "*"),
    "%": ("//", "/", "*"),
    "**": ("*",),
    "+=": ("-=", "=", "*="),
    "-=": ("+=", "="),
    "*=": ("+=", "="),
    "/=": ("*=",),
    "//=": ("%=", "-="),
    "and": ("or",),
    "or": ("and",),
    "&&": ("||",),
    "||": ("&&",),
    "&": ("|", "^"),
    "|": ("&", "^"),
    "^": ("|", "&"),
    "<<": (">>",),
    ">>": ("<<",),
    "++": ("--",),
    "--": ("++",),
    "True": ("False",),
    "False": ("True",),
    "true": ("false",),
    "false": ("true",),
    "min": ("max",),
    "max": ("min",),
    "any": ("all",),
    "all": ("any",),
    "break": ("continue",),
    "continue": ("break",),
    "if": ("while",),
    "None": ("0", "True"),
    "null": ("undefined", "0"),
    "nil": ("err",),
}
BRACE_ONLY_PYTHON = {"//", "**", "while", "//="}
CALLS = [
    ("append", "extend", "add", "insert", "push", "unshift"),
    ("min", "max", "sum", "len"),
    ("sorted", "list", "reversed", "set", "tuple"),
    ("upper", "lower", "title", "capitalize", "swapcase"),
    ("strip", "lstrip", "rstrip"),
    ("keys", "values", "items"),
    ("startswith", "endswith"),
    ("find", "rfind", "index", "count"),
    ("isdigit", "isalpha", "isalnum", "isspace", "islower", "isupper"),
    ("sqrt", "floor", "ceil", "abs", "round"),
    ("range", "enumerate", "len"),
    ("int", "float", "str"),
    ("union", "intersection", "difference"),
    ("split", "rsplit", "partition", "join"),
    ("pop", "popleft", "remove"),
    ("map", "filter", "reduce", "forEach", "some", "every"),
    ("indexOf", "lastIndexOf"),
    ("toUpperCase", "toLowerCase"),
    ("slice", "splice", "substring"),
    ("push", "pop", "shift", "unshift"),
    ("startsWith", "endsWith"),
    ("match", "search", "fullmatch", "findall"),
    ("sin", "cos", "tan"),
    ("zip", "map", "filter"),
    ("is_empty", "is_some", "is_none"),
    ("iter", "into_iter", "rev"),
    ("unwrap_or", "unwrap"),
    ("HasPrefix", "HasSuffix"),
    ("ToUpper", "ToLower"),
    ("combinations", "permutations", "product"),
    ("heappush", "heappop"),
    ("isinstance", "issubclass"),
]
SIBLINGS = {name: tuple(n for row in CALLS if name in row for n in row if n != name) for row in CALLS for name in row}

Edit = Callable[[random.Random, list[Token], list[int], str], list[str] | None]


def _texts(tokens: list[Token]) -> list[str]:
    return [token.text for token in tokens]


def _pick(rng: random.Random, places: list[int]) -> int | None:
    return rng.choice(places) if places else None


def operator(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """A comparison, arithmetic or logical operator becomes another."""
    place = _pick(rng, [i for i in at if tokens[i].text in SWAPS and tokens[i].kind in ("op", "name")])
    if place is None:
        return None
    options = [o for o in SWAPS[tokens[place].text] if language == "python" or o not in BRACE_ONLY_PYTHON]
    if not options:
        return None
    out = _texts(tokens)
    out[place] = rng.choice(options)
    return out


def number(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """A literal is off by one, or another small number."""
    place = _pick(rng, [i for i in at if tokens[i].kind == "number" and tokens[i].text.isdigit()])
    if place is None:
        return None
    value = int(tokens[place].text)
    options = {value + 1, max(0, value - 1), *((0, 1, 2) if value < 10 else (value * 10, value // 10))} - {value}
    out = _texts(tokens)
    out[place] = str(rng.choice(sorted(options)))
    return out


def boundary(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """`+ 1` or `- 1` appears after an operand inside brackets, or disappears."""
    out = _texts(tokens)
    drops, adds = [], []
    for j, i in enumerate(at[:-1]):
        after = tokens[at[j + 1]]
        if tokens[i].text in "+-" and after.text in ("1", "2") and j > 0:
            drops.append((i, at[j + 1]))
        if after.text in (")", "]", ",", ":") and (tokens[i].text == ")" or _is_variable(tokens, at, j)) and j > 2:
            adds.append(i)
    if drops and rng.random() < 0.5:
        first, last = rng.choice(drops)
        start = first - 1 if tokens[first - 1].kind == "space" else first
        return out[:start] + out[last + 1 :]
    place = _pick(rng, adds)
    if place is None:
        return None
    out[place] += rng.choice((" + 1", " - 1", "+1", "-1"))
    return out


def _is_variable(tokens: list[Token], at: list[int], j: int) -> bool:
    token = tokens[at[j]]
    if token.kind != "name" or token.text in KEYWORDS or token.text in SIBLINGS:
        return False
    before = tokens[at[j - 1]].text if j else ""
    after = tokens[at[j + 1]].text if j + 1 < len(at) else ""
    return before not in (".", "::", "->", "def", "function", "fn", "func") and after not in ("(", "::", ":=")


def variable(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """One use of a variable becomes another variable of the function."""
    uses = [j for j in range(2, len(at)) if _is_variable(tokens, at, j)]
    names = sorted({tokens[at[j]].text for j in uses})
    # A header's own parameters come first; renaming those would only break, not mislead.
    body = [j for j in uses if "".join(t.text for t in tokens[: at[j]]).count("\n") >= 1]
    if len(names) < 2 or not body:
        return None
    place = at[rng.choice(body)]
    out = _texts(tokens)
    out[place] = rng.choice([n for n in names if n != out[place]])
    return out


def operands(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """`a - b` becomes `b - a`; also arguments `(a, b)`."""
    places = []
    for j in range(1, len(at) - 1):
        middle = tokens[at[j]].text
        left, right = tokens[at[j - 1]], tokens[at[j + 1]]
        simple = {left.kind, right.kind} <= {"name", "number", "string"} and left.text != right.text
        if (
            simple
            and not {left.text, right.text} & KEYWORDS
            and middle in ("-", "/", "//", "%", "<", ">", "<=", ">=", "**", ",", "in")
        ):
            after = tokens[at[j + 2]].text if j + 2 < len(at) else ""
            if after not in ("(", ".", "[", "=") and (j < 2 or tokens[at[j - 2]].text != "."):
                places.append(j)
    place = _pick(rng, places)
    if place is None:
        return None
    out = _texts(tokens)
    out[at[place - 1]], out[at[place + 1]] = out[at[place + 1]], out[at[place - 1]]
    return out


def call(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """Another function of the same kind is called, or another one of those in sight."""
    calls = [
        i
        for j, i in enumerate(at[:-1])
        if j > 2 and tokens[i].kind == "name" and tokens[at[j + 1]].text == "(" and tokens[i].text not in KEYWORDS
    ]
    known = [i for i in calls if tokens[i].text in SIBLINGS]
    out = _texts(tokens)
    if known and rng.random() < 0.7:
        place = rng.choice(known)
        out[place] = rng.choice(SIBLINGS[out[place]])
        return out
    names = sorted({tokens[i].text for i in calls})
    if len(names) < 2:
        return None
    place = rng.choice(calls)
    out[place] = rng.choice([n for n in names if n != out[place]])
    return out


def condition(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """An `if` or `while` is inverted, or loses its `not`."""
    out = _texts(tokens)
    nots = [i for i in at if tokens[i].text in ("not", "!")]
    if nots and rng.random() < 0.5:
        place = rng.choice(nots)
        out[place] = ""
        if tokens[place + 1].kind == "space":
            out[place + 1] = ""
        return out
    j = _pick(rng, [j for j, i in enumerate(at[:-1]) if tokens[i].text in ("if", "elif", "while")])
    if j is None:
        return None
    if language == "python":
        out[at[j]] += " not"
        return out
    if tokens[at[j + 1]].text == "(":
        out[at[j + 1]] = "(!"
        return out
    if language in ("go", "rust"):
        out[at[j]] += " !"
        return out
    return None


def text(rng: random.Random, tokens: list[Token], at: list[int], language: str) -> list[str] | None:
    """A short string literal changes: emptied, blank, or another of the function's."""
    strings = [i for i in at if tokens[i].kind == "string" and len(tokens[i].text) < 30 and "\n" not in tokens[i].text]
    place = _pick(rng, strings)
    if place is None:
        return None
    out = _texts(tokens)
    quote = out[place][-1]
    options = {quote + quote, f"{quote} {quote}", *(tokens[i].text for i in strings)} - {out[place]}
    out[place] = rng.choice(sorted(options))
    return out


EDITS: dict[str, Edit] = {
    "operator": operator,
    "number": number,
    "boundary": boundary,
    "variable": variable,
    "operands": operands,
    "call": call,
    "condition": condition,
    "text": text,
}


def mutate(rng: random.Random, kind: str, code: str, language: str) -> str | None:
    """The code with one bug of the kind, or None where there is no place for it."""
    tokens = lex(code, language)
    out = EDITS[kind](rng, tokens, significant(tokens), language)
    return None if out is None else "".join(out)
