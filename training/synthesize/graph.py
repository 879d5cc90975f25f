"""The graph of concepts: an edge weighs as many problems as have both ends. New combinations are walks on it."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True)
class Graph:
    """Weights of edges by their two ends (each edge is in both directions), and how many problems have a concept."""

    edges: dict[str, dict[str, int]]
    frequency: dict[str, int]

    def walk(self, rng: random.Random, length: int, temperature: float) -> tuple[str, ...]:
        """Up to `length` different concepts, each joined to the one before.

        Chances are weights to the power 1 / temperature: 1 follows the seeds, above it rare combinations come up more
        often, towards infinity all neighbours alike. A walk ends early where every neighbour was visited.
        """
        names = list(self.frequency)
        current = draw(rng, names, [self.frequency[name] for name in names], temperature)
        path = [current]
        while len(path) < length:
            near = {name: weight for name, weight in self.edges.get(current, {}).items() if name not in path}
            if not near:
                break
            current = draw(rng, list(near), list(near.values()), temperature)
            path.append(current)
        return tuple(path)


def draw(rng: random.Random, names: list[str], weights: list[int], temperature: float) -> str:
    """One of the names, by weight ** (1 / temperature)."""
    return rng.choices(names, [weight ** (1 / temperature) for weight in weights])[0]


def build(problems: Iterable[list[str]], least: int = 1) -> Graph:
    """The graph of the problems' concepts; concepts of fewer than `least` problems are left out."""
    listed = [list(dict.fromkeys(names)) for names in problems]
    frequency = {name: count for name, count in Counter(n for names in listed for n in names).items() if count >= least}
    edges: dict[str, dict[str, int]] = {name: {} for name in frequency}
    for names in listed:
        for a, b in combinations([name for name in names if name in frequency], 2):
            edges[a][b] = edges[a].get(b, 0) + 1
            edges[b][a] = edges[b].get(a, 0) + 1
    return Graph(edges, frequency)


def walks(graph: Graph, count: int, length: int, temperature: float, seed: int) -> list[tuple[str, ...]]:
    """Up to `count` walks with different sets of at least two concepts; fewer where the graph has no more."""
    rng = random.Random(seed)
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for _ in range(count * 20):
        if len(found) == count:
            break
        path = graph.walk(rng, rng.randint(2, length), temperature)
        if len(path) >= 2:
            found.setdefault(frozenset(path), path)
    return list(found.values())
