"""Packs preference groups into rows of fixed length in which common beginnings are stored once.

A row holds whole groups. In a group the right program's sequence (problem,
program, closing tokens) stands first; of every wrong one only the tokens after
its longest common prefix with the right one follow. An attention mask lets
them see that prefix, so each program is read exactly as if it stood alone,
with less than half of the tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ROW = 512
FINALS = 12
"""At most so many wrong programs in a row; the rest of the arrays is padding."""


NEAR, LATER = 4, 0.15
"""The first tokens after two programs part show the bug itself; later ones only remember it."""


@dataclass
class Group:
    """Token ids of the right program's sequence and of each wrong one's, equal prefix included."""

    chosen: np.ndarray
    rejected: list[np.ndarray]
    ahead: list[float]
    """By how much the n-gram term already prefers the right program to each wrong one."""


@dataclass
class Row:
    """One packed row; all arrays have fixed sizes (ROW or FINALS)."""

    ids: np.ndarray
    positions: np.ndarray
    start: np.ndarray  # index where the token's own sequence (or branch) starts in the row
    base: np.ndarray  # index where its group starts
    shared: np.ndarray  # how many tokens of the group's first sequence a branch sees
    partner: np.ndarray  # for a branch token: the right program's token at the same depth; else -1
    heed: np.ndarray  # weight of the comparison with the partner, 0 where there is none
    targets: np.ndarray  # next token of the right program's sequence, else -100
    good: np.ndarray  # FINALS: last token of the right program of each pair
    bad: np.ndarray  # FINALS: last token of the wrong program
    weight: np.ndarray  # FINALS: 1 / number of wrong programs of the group, 0 for padding
    ahead: np.ndarray  # FINALS: the group's `ahead`


def common_prefix(a: np.ndarray, b: np.ndarray) -> int:
    length = min(len(a), len(b))
    different = np.nonzero(a[:length] != b[:length])[0]
    return int(different[0]) if len(different) else length


def trim(group: Group) -> Group | None:
    """The group with as many wrong programs as fit a row, or None where fewer than one does."""
    used = len(group.chosen)
    kept: list[np.ndarray] = []
    ahead: list[float] = []
    for ids, lead in zip(group.rejected, group.ahead, strict=True):
        own = len(ids) - common_prefix(group.chosen, ids)
        if own > 0 and used + own <= ROW and len(kept) < FINALS:
            kept.append(ids)
            ahead.append(lead)
            used += own
    return Group(group.chosen, kept, ahead) if kept else None


def size(group: Group) -> int:
    return len(group.chosen) + sum(len(ids) - common_prefix(group.chosen, ids) for ids in group.rejected)


def rows(groups: list[Group]) -> Iterator[list[Group]]:
    """First fit over a small window of open rows: about 95 % of the tokens are used."""
    waiting: list[tuple[int, int, list[Group]]] = []
    for group in groups:
        trimmed = trim(group)
        if trimmed is None:
            continue
        need, finals = size(trimmed), len(trimmed.rejected)
        for i, (free, slots, held) in enumerate(waiting):
            if need <= free and finals <= slots:
                held.append(trimmed)
                waiting[i] = (free - need, slots - finals, held)
                break
        else:
            waiting.append((ROW - need, FINALS - finals, [trimmed]))
            if len(waiting) > 24:
                waiting.sort(key=lambda entry: -entry[0])
                yield waiting.pop()[2]
    for _, _, held in waiting:
        yield held


def pack(groups: list[Group]) -> Row:
    """Lays the groups of one row out."""
    row = Row(
        ids=np.zeros(ROW, np.int64),
        positions=np.zeros(ROW, np.int64),
        start=np.arange(ROW),
        base=np.arange(ROW),
        shared=np.zeros(ROW, np.int64),
        partner=np.full(ROW, -1),
        heed=np.zeros(ROW, np.float32),
        targets=np.full(ROW, -100),
        good=np.zeros(FINALS, np.int64),
        bad=np.zeros(FINALS, np.int64),
        weight=np.zeros(FINALS, np.float32),
        ahead=np.zeros(FINALS, np.float32),
    )
    place = final = 0
    for group in groups:
        base, count = place, len(group.chosen)
        row.ids[base : base + count] = group.chosen
        row.positions[base : base + count] = np.arange(count)
        row.start[base : base + count] = row.base[base : base + count] = base
        row.targets[base : base + count - 1] = group.chosen[1:]
        place += count
        for ids, lead in zip(group.rejected, group.ahead, strict=True):
            prefix = common_prefix(group.chosen, ids)
            own = len(ids) - prefix
            if own == 0:
                continue
            span = slice(place, place + own)
            depth = np.arange(prefix, len(ids))
            row.ids[span], row.positions[span] = ids[prefix:], depth
            row.start[span], row.base[span], row.shared[span] = place, base, prefix
            row.partner[span] = base + np.minimum(depth, count - 1)
            row.heed[place : place + own] = LATER
            row.heed[place : place + min(own, NEAR)] = 1.0
            row.good[final], row.bad[final] = base + count - 1, place + own - 1
            row.weight[final] = 1.0 / len(group.rejected)
            row.ahead[final] = lead
            place += own
            final += 1
    return row


def mask(start: np.ndarray, base: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """[rows, ROW, ROW] booleans: who may attend to whom (own branch so far, or the shared prefix)."""
    at = np.arange(ROW)
    key = at[None, None, :]
    own = (key >= start[:, :, None]) & (key <= at[None, :, None])
    prefix = (key >= base[:, :, None]) & (key < (base + shared)[:, :, None])
    return own | prefix
