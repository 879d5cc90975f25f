"""The linear model's features: hashed token n-grams of a program, and what it has in common with its problem.

They are those of server/ranking/text-parts/ngram.ts number by number. ASCII classes and 32-bit integers only, so that Python and JavaScript cannot
differ; test/fixtures/ngram holds both to the same values. docs/rendering.md
defines them. A change is a new VERSION.
"""

import re
from functools import lru_cache
from itertools import islice

import numpy as np

VERSION = 3
BITS = 18
SPELLED_ORDERS = (1, 2, 3, 4)
NAMELESS_ORDERS = (2, 3, 4)
MOST = 2
"""An n-gram counts at most this often."""
MAX_TOKENS = 16_384
MAX_CLOSED = 3
TAB_COLUMNS = 4
WORD_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
ENDING = re.compile(r"(?:ing|ed|es|s)$")
LONG = 5
"""Words of so many letters lose their ending: "returns" and "return" are one."""
MAX_SHARED = 24
"""More words in common, or said unasked, than this are as good as this many."""
BLANKS = re.compile(r"[ \t\r\n]+")
FIRST_LINE = re.compile(r"[ \t\r\n]*([^\n]*)")
HEADER_END = re.compile(r"[ \t\r:{]+\Z")
RECENT = 5
"""Names whose order of use is told apart; older ones are one class."""
KEPT = frozenset(
    """
False None True abs all and any append as assert async await bool break case catch class const continue def
default del dict do elif else enum enumerate except export extends false finally float fn for from func
function global go if impl import in int interface is lambda len let list loop map match max min mod mut new
nil nonlocal not null or package pass print private protected pub public raise range return self set sorted
static str struct sum super switch this throw throws trait true try tuple type undefined use var void where
while with yield zip
""".split()
)
"""Words that are no names: they mean the same in every program."""
TOKEN = re.compile(r"\n[ \t]*|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[!-/:-@\[-^`{-~]|[^\x00-\x7f]+")


def line_start(token: str, levels: list[int]) -> str:
    """How the indentation changed: "\\n" not at all, "\\n+" deeper, "\\n-" and how many levels were closed."""
    columns = sum(TAB_COLUMNS if blank == "\t" else 1 for blank in token[1:])
    if columns > levels[-1]:
        levels.append(columns)
        return "\n+"
    closed = 0
    while len(levels) > 1 and levels[-1] > columns:
        levels.pop()
        closed += 1
    return f"\n-{min(closed, MAX_CLOSED)}" if closed else "\n"


def nameless(spelled: list[str]) -> list[str]:
    """The tokens with each name replaced by how recently it was used: @0 the last one, @5 long ago, @new never."""
    recent: list[str] = []
    seen: set[str] = set()
    made = []
    for token in spelled:
        if token in KEPT or not (token[0] == "_" or (token[0].isascii() and token[0].isalpha())):
            made.append(token)
            continue
        place = recent.index(token) if token in recent else RECENT if token in seen else None
        made.append("@new" if place is None else f"@{place}")
        seen.add(token)
        recent = [token, *(name for name in recent if name != token)][:RECENT]
    return made


def tokens(program: str) -> list[str]:
    """Tokens of a program; blank lines and the end of the last line say nothing."""
    found = [match[0] for match in islice(TOKEN.finditer("\n" + program), MAX_TOKENS)]
    made, levels = [], [0]
    for token, following in zip(found, [*found[1:], "\n"], strict=True):
        if token[0] != "\n":
            made.append(token)
        elif following[0] != "\n":
            made.append(line_start(token, levels))
    return [*made, "<end>"]


@lru_cache(maxsize=1 << 20)
def token_hash(token: str) -> int:
    """FNV-1a over ASCII codes; a run of anything else counts as one code 128."""
    value = 0x811C9DC5
    for code in [128] if token[0] > "\x7f" else map(ord, token):
        value = (value ^ code) * 0x01000193 & 0xFFFFFFFF
    return value


def word_list(text: str) -> list[str]:
    """The lower-cased words of a text and of its names' parts, without common endings, in order."""
    found = (part.lower() for part in islice((match[0] for match in WORD_PART.finditer(text)), MAX_TOKENS))
    return [ENDING.sub("", word) if len(word) >= LONG else word for word in found if len(word) > 1]


@lru_cache(maxsize=16)
def words(text: str) -> frozenset[str]:
    """The different ones of these words."""
    return frozenset(word_list(text))


def marks(mark: str, count: int) -> list[str]:
    """One entry for each step up to the count: what more of something is worth may change on the way."""
    return [f"{mark}{n}" for n in range(1, min(count, MAX_SHARED) + 1)]


def first_line(program: str) -> re.Match[str]:
    """Blank lines and the first line that is not; group 1 is that line."""
    found = FIRST_LINE.match(program)
    assert found is not None, "the expression matches the empty text"
    return found


def answers(problem: str, program: str) -> list[str]:
    """Words that problem and program share, their first three letters, how many those are, and how far the header is the asked one."""
    if not problem:
        return []
    asked, said = words(problem), words(program)
    whole = asked & said
    begun = {word[:3] for word in asked if len(word) > 2} & {word[:3] for word in said if len(word) > 2}
    first = first_line(program)[1]
    header = BLANKS.sub("", HEADER_END.sub("", first))
    found = [*whole, *(f"{start}*" for start in begun), *marks("#", len(whole)), *marks("*", len(begun))]
    found += [*marks("~", len(said - asked)), *marks("-", len(words(first) - asked))]
    return [*found, "="] if "(" in header and header in BLANKS.sub("", problem) else found


def grams(view: list[str], orders: tuple[int, ...], stream: int, bits: int) -> list[np.ndarray]:
    """Buckets (uint32) of every n neighbouring tokens of a view, one array for each n."""
    ids = np.array([token_hash(token) for token in view], np.uint32)
    found = []
    for order in orders:
        if len(ids) < order:
            continue
        count = len(ids) - order + 1
        mixed = np.full(count, 16 * stream + order, np.uint32)
        for place in range(order):
            mixed = (mixed ^ ids[place : place + count]) * np.uint32(0x9E3779B1)
            mixed ^= mixed >> np.uint32(15)
        found.append((mixed * np.uint32(0x85EBCA6B)) >> np.uint32(32 - bits))
    return found


@lru_cache(maxsize=64)
def counts(program: str, bits: int = BITS, problem: str = "") -> tuple[np.ndarray, np.ndarray]:
    """(buckets int64 ascending, how often float32 at most MOST) of a program's n-grams and of what answers the problem."""
    spelled = tokens(program)
    found = []
    views = ((spelled, SPELLED_ORDERS), (nameless(spelled), NAMELESS_ORDERS), (answers(problem, program), (1,)))
    for stream, (view, orders) in enumerate(views):
        found += grams(view, orders, stream, bits)
    buckets, often = np.unique(np.concatenate(found), return_counts=True)
    return buckets.astype(np.int64), np.minimum(often, MOST).astype(np.float32)
