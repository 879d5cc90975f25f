"""The wrong programs of a group: injected bugs, other functions, and what weak models write."""

import random
from dataclasses import dataclass

from training.data.mutate import coarse, lines, tokens, tree
from training.data.prompts import TITLES, signature

FINE = [*[("token", kind) for kind in tokens.EDITS], *[("line", kind) for kind in lines.EDITS if kind != "truncate"]]

Row = dict[str, object]


def fine(rng: random.Random, code: str, language: str, normalised: bool) -> tuple[str, str] | None:
    """One subtle bug by one of the independent mutators, one in six times two of them."""
    if language == "python" and (normalised or rng.random() < 0.12) and rng.random() < 0.6:
        return tree.mutate(rng, code)
    family, kind = rng.choice(FINE)
    mutated = (tokens if family == "token" else lines).mutate(rng, kind, code, language)
    if mutated is not None and rng.random() < 0.16:
        family, second = rng.choice(FINE)
        mutated = (tokens if family == "token" else lines).mutate(rng, second, mutated, language) or mutated
    if mutated is None or mutated == code:
        return None
    if language == "python" and not lines.parses(mutated):
        return None
    return kind, mutated


def bugs(
    rng: random.Random, code: str, language: str, normalised: bool, count: int, tries: int
) -> list[tuple[str, str]]:
    """Up to `count` different mutants."""
    found: dict[str, str] = {}
    for _ in range(tries):
        made = fine(rng, code, language, normalised)
        if (made is not None and made[1].split() != code.split()) or (
            made is not None and made[0] == "indent" and made[1] != code
        ):
            found.setdefault(made[1], made[0])
        if len(found) >= count:
            break
    return [(kind, text) for text, kind in found.items()]


@dataclass(frozen=True)
class Job:
    """A documented function and what its wrong programs are made of."""

    row: Row
    other: Row
    """Any function of the same language."""
    similar: Row | None
    """One whose documentation resembles this one's."""
    foreign: Row | None
    """The same in another language."""
    seed: int
    count: int
    training: bool


def foreign_body(rng: random.Random, row: Row, other: Row, code: str) -> str:
    """Another function: under its own name, under the asked one, or only its body below the asked header."""
    language, draw = str(row["language"]), rng.random()
    if draw < 0.4:
        moved = coarse.other_body(
            signature(language, code), signature(language, str(other["code"])), str(other["code"])
        )
        if moved is not None:
            return moved
    return (
        str(other["code"]) if draw > 0.8 else coarse.renamed(str(other["code"]), str(other["name"]), str(row["name"]))
    )


def coarse_candidates(rng: random.Random, row: Row, code: str, question: str, other: Row) -> list[tuple[str, str]]:
    """One or two of: another function (often under the asked name), a cut, a stub, prose."""
    language, name = str(row["language"]), str(row["name"])
    found = []
    wrong = str(other["code"])
    if rng.random() < 0.7:
        wrong = coarse.renamed(wrong, str(other["name"]), name)
    found.append(("wrong-function", wrong))
    draw = rng.random()
    if draw < 0.3:
        cut = lines.mutate(rng, "truncate", code, language)
        if cut and cut != code:
            found.append(("truncated", cut))
    elif draw < 0.5:
        found.append(("stub", coarse.stub(rng, signature(language, code), language)))
    elif draw < 0.6:
        found.append(("prose", coarse.prose(rng, question)))
    return found


def weak_candidates(rng: random.Random, job: Job, code: str, question: str) -> list[tuple[str, str]]:
    """What weak models write: bodies of similar problems, other languages, nothing, constants, loops."""
    language = str(job.row["language"])
    head = signature(language, code)
    found: list[tuple[str, str | None]] = []
    if job.similar is not None:
        found.append(("similar-function", foreign_body(rng, job.row, job.similar, code)))
    if rng.random() < 0.5:
        found.append(("wrong-function", foreign_body(rng, job.row, job.other, code)))
    draw = rng.random()
    if draw < 0.12:
        found.append(("truncated", lines.mutate(rng, "truncate", code, language)))
    elif draw < 0.20:
        found.append(("repeated", coarse.repeated(rng, code)))
    elif draw < 0.26:
        found.append(("empty", coarse.empty(rng, question, language)))
    elif draw < 0.34:
        found.append(("constant", coarse.constant(rng, head, language, code) if head else None))
    elif draw < 0.40:
        found.append(("stub", coarse.stub(rng, head, language)))
    elif draw < 0.44:
        found.append(("prose", coarse.prose(rng, question)))
    elif draw < 0.56 and job.foreign is not None and (head in question or TITLES[language] in question):
        found.append(("wrong-language", str(job.foreign["code"])))
    return [(kind, text) for kind, text in found if text is not None and text.strip() != code.strip()]
