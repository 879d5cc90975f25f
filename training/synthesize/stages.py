"""The stages from seed problems to scored solutions. Each keeps its rows in a journal and goes on where it stopped."""

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from training.data import json_lines
from training.reward_server import RewardModel
from training.synthesize import concepts, filters, graph, journal, problems, scoring, seeds
from training.synthesize.chat import ChatModel
from training.synthesize.journal import Row

LANGUAGE = "python"
SOLVE = "{problem}\n\nReply with the code only, in exactly one Python code block."
"""What a policy is asked, here and later in training: rewards are given to exactly one fenced block."""


@dataclass(frozen=True)
class Settings:
    """What a run does; everything but the addresses and `parallel` decides its result."""

    seeds: Path
    writer: ChatModel
    policy: ChatModel
    reward: RewardModel
    heldout: Path | None
    exclude: tuple[Path, ...]
    ask_concepts: bool
    problems: int
    walk: int
    walk_temperature: float
    write_temperature: float
    similarity: float
    solutions: int
    solve_temperature: float
    seed: int
    parallel: int

    def fingerprint(self) -> dict[str, object]:
        """What must be the same when a run goes on. More problems may be asked for."""
        return {
            "seeds": str(self.seeds), "writer": self.writer.model, "policy": self.policy.model,
            "reward": self.reward.model, "heldout": str(self.heldout), "exclude": sorted(map(str, self.exclude)),
            "ask_concepts": self.ask_concepts, "walk": self.walk, "walk_temperature": self.walk_temperature,
            "write_temperature": self.write_temperature, "similarity": self.similarity,
            "solutions": self.solutions, "solve_temperature": self.solve_temperature, "seed": self.seed,
        }  # fmt: skip


def item_seed(seed: int, name: str) -> int:
    """A seed of its own for every request, whatever runs beside it."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:4], "big") >> 1


def shown(stage: str) -> Callable[[int, int], None]:
    """Progress on stderr, at most once a second."""
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 1 or done == total:
            last = time.monotonic()
            print(f"{stage}: {done} of {total}", file=sys.stderr, flush=True)

    return progress


def concepts_of_seeds(folder: Path, how: Settings) -> list[Row]:
    """{"id", "problem", "concepts", "from"}: asked from the writer; few are filled up from the syntax."""

    def make(seed: Row) -> Row:
        found: list[str] = []
        if how.ask_concepts:
            asked = concepts.prompt(seed["problem"], seed["solution"])
            found = concepts.parse(how.writer.ask(asked, 0.2, item_seed(how.seed, seed["id"])))
        origin = "model" if found else "syntax"
        names = concepts.together(found, seed["solution"])
        return {"id": seed["id"], "problem": seed["problem"], "concepts": names, "from": origin}

    path = folder / "1-concepts.jsonl"
    return journal.fill(path, seeds.load(how.seeds), make, how.parallel, shown("concepts"))


def combinations(folder: Path, how: Settings, known: list[Row]) -> list[Row]:
    """{"id", "concepts"}: walks on the concept graph, which is kept beside them."""
    built = graph.build([row["concepts"] for row in known])
    json_lines.write(folder / "2-graph.jsonl", [asdict(built)])
    found = graph.walks(built, how.problems, how.walk, how.walk_temperature, how.seed)
    rows = [{"id": f"p{place}", "concepts": list(path)} for place, path in enumerate(found)]
    json_lines.write(folder / "2-combinations.jsonl", rows)
    return rows


def written(folder: Path, how: Settings, wanted: list[Row], known: list[Row]) -> list[Row]:
    """{"id", "concepts", "reply", "problem"}: the problem is None where the reply holds none."""
    texts = [row["problem"] for row in known]

    def make(row: Row) -> Row:
        number = item_seed(how.seed, row["id"])
        reply = how.writer.ask(problems.prompt(row["concepts"], texts, number), how.write_temperature, number)
        return {**row, "reply": reply, "problem": problems.parse(reply)}

    return journal.fill(folder / "3-written.jsonl", wanted, make, how.parallel, shown("problems"))


def kept(folder: Path, how: Settings, made: list[Row], known: list[Row]) -> list[Row]:
    """The new problems that are neither near-duplicates nor contaminated; every row says why it was dropped."""
    hashes = filters.held_out(how.heldout, how.exclude)
    usable = [row for row in made if row["problem"] is not None]
    same = filters.duplicates([row["problem"] for row in usable], (row["problem"] for row in known), how.similarity)
    reasons = {
        row["id"]: "duplicate" if place in same else "held out" if filters.contaminated(row["problem"], hashes) else ""
        for place, row in enumerate(usable)
    }
    rows = [{**row, "dropped": reasons.get(row["id"], "no problem") or None} for row in made]
    json_lines.write(folder / "4-problems.jsonl", rows)
    return [row for row in rows if row["dropped"] is None]


def solved(folder: Path, how: Settings, wanted: list[Row]) -> dict[str, list[str]]:
    """What the policy writes, `solutions` replies a problem. The journal has a row {"id", "reply"} for each reply."""

    def make(item: Row) -> Row:
        number = item_seed(how.seed, item["id"])
        return {"id": item["id"], "reply": how.policy.ask(item["asked"], how.solve_temperature, number)}

    items = [
        {"id": f"{row['id']}/{sample}", "asked": SOLVE.format(problem=row["problem"])}
        for row in wanted
        for sample in range(how.solutions)
    ]
    rows = journal.fill(folder / "5-solutions.jsonl", items, make, how.parallel, shown("solutions"))
    replies = [row["reply"] for row in rows]
    return {row["id"]: replies[place * how.solutions : (place + 1) * how.solutions] for place, row in enumerate(wanted)}


def scored(folder: Path, how: Settings, wanted: list[Row], replies: dict[str, list[str]]) -> list[Row]:
    """{"id", "judge", "solutions", "facts"}: what the reward server says of each problem's solutions."""

    def make(row: Row) -> Row:
        ranking = how.reward.rank(row["problem"], replies[row["id"]], LANGUAGE)
        found = scoring.solutions_of(ranking, how.solutions)
        facts = asdict(scoring.facts_of(found))
        return {"id": row["id"], "judge": Path(ranking["model"]["id"]).name, "solutions": found, "facts": facts}

    return journal.fill(folder / "6-scored.jsonl", wanted, make, how.parallel, shown("rewards"))
