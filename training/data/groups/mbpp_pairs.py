"""Groups from MBPP: every wrong program was run and fails a test, every right one passes them all."""

import random
from collections.abc import Callable

from training.data import mbpp
from training.data.mutate import coarse, lines, tree
from training.data.mutate.style import rename_variables, strip_comments
from training.data.prompts import signature, with_docstring

Row = dict[str, object]
Bugs = Callable[[random.Random, str, str, bool, int, int], list[tuple[str, str]]]
FOREIGN = 3
"""Other problems' references tried as wrong programs, random ones and similar ones each."""


def bases_of(rng: random.Random, item: mbpp.Problem, training: bool) -> list[tuple[str, bool]]:
    """The reference in several layouts, and whether each is normalised."""
    found = [(item.code, False)]
    normal = tree.normalise(item.code)
    if normal is not None:
        found.append((normal, True))
    if training:
        found.append((strip_comments(item.code, "python"), False))
        for base, normalised in list(found):
            renamed = rename_variables(rng, base)
            if renamed is not None:
                found.append((renamed, normalised))
        found.append((with_docstring("python", rng.choice(found)[0], item.text), False))
    return list(dict(found).items())


def borrowed(rng: random.Random, item: mbpp.Problem, base: str, other: mbpp.Problem) -> str:
    """Another problem's reference under this one's name, or its body below this one's header."""
    moved = (
        coarse.other_body(signature("python", base), signature("python", other.code), other.code)
        if rng.random() < 0.4
        else None
    )
    return moved or coarse.renamed(other.code, other.asked_name(), item.asked_name())


def foreign(
    rng: random.Random, item: mbpp.Problem, base: str, others: list[mbpp.Problem], similar: list[mbpp.Problem]
) -> list[tuple[str, str]]:
    """Whole other programs: other references, cuts, loops, constants, stubs, prose."""
    made = [("wrong-function", borrowed(rng, item, base, other)) for other in others]
    made += [("similar-function", borrowed(rng, item, base, other)) for other in similar]
    head = signature("python", base)
    made += [
        ("constant", coarse.constant(rng, head, "python", base)),
        ("empty", coarse.empty(rng, item.text, "python")),
    ]
    loop = coarse.repeated(rng, base)
    if loop is not None:
        made.append(("repeated", loop))
    for _ in range(2):
        cut = lines.mutate(rng, "truncate", base, "python")
        if cut is not None:
            made.append(("truncated", cut))
    made.append(("stub", coarse.stub(rng, signature("python", base), "python")))
    made.append(("prose", coarse.prose(rng, item.text)))
    return made


def groups(
    item: mbpp.Problem,
    others: list[mbpp.Problem],
    similar: list[mbpp.Problem],
    bugs: Bugs,
    seed: int,
    tries: int,
    count: int,
) -> list[Row]:
    """Up to `count` groups of up to six wrong programs; no wrong program stands in two of them."""
    rng = random.Random(seed * 100_003 + item.task_id)
    training = count > 1
    bases = bases_of(rng, item, training)
    candidates: list[tuple[int, str, str]] = []
    for place, (base, normalised) in enumerate(bases):
        each = tries // len(bases)
        candidates += [(place, kind, text) for kind, text in bugs(rng, base, "python", normalised, each, each * 3)]
        if training:
            shown = rng.sample(others, min(FOREIGN, len(others)))
            near = rng.sample(similar, min(FOREIGN, len(similar)))
            candidates += [(place, kind, text) for kind, text in foreign(rng, item, base, shown, near)]
    passed = mbpp.run_tests(item, [base for base, _ in bases] + [text for _, _, text in candidates], 0.3)
    full = len(item.tests)
    good = [place for place in range(len(bases)) if passed[place] == full]
    failing: dict[int, list[tuple[str, str]]] = {place: [] for place in good}
    for (place, kind, text), score in zip(candidates, passed[len(bases) :], strict=True):
        if place in failing and score < full:
            failing[place].append((kind, text))
    rows: list[Row] = []
    for _ in range(count):
        usable = [place for place in good if failing[place]]
        if not usable:
            break
        place = rng.choice(usable)
        chosen = rng.sample(failing[place], min(6, len(failing[place])))
        if training:
            failing[place] = [pair for pair in failing[place] if pair not in chosen]
        end = coarse.ending if training else lambda _, code: code
        rows.append(
            {
                "source": "mbpp",
                "task_id": item.task_id,
                "language": "python",
                "problem": item.question(rng),
                "chosen": end(rng, bases[place][0]),
                "rejected": [{"kind": kind, "code": end(rng, text)} for kind, text in chosen],
            }
        )
    return rows
