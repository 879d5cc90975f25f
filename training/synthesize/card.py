"""What belongs to the finished set: statistics, plots, and a card that says how it was made."""

import json
import statistics
from collections import Counter
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from training.synthesize.dataset import Limits
from training.synthesize.journal import Row
from training.synthesize.stages import Settings

TOP_CONCEPTS = 20

CARD = """# Synthetic programming problems

{count} problems for reinforcement learning without tests, made by `python -m training.synthesize`. **No solution was
run**: `best` and `difficulty` are what a reward model says, not what tests say.

| | |
|---|---|
| Seeds | `{seeds}`, {seed_count} problems |
| Concepts | {concept_source}; {concepts} different ones, {edges} edges |
| Combinations | random walks of 2 to {walk} concepts, temperature {walk_temperature} |
| Problems by | `{writer}`, temperature {write_temperature} |
| Near-duplicates | MinHash of three-word shingles, Jaccard ≥ {similarity}, against seeds and each other |
| Contamination | 13 tokens in a row shared with: {heldout} |
| Solutions by | `{policy}`, {solutions} a problem, temperature {solve_temperature} |
| Judge | `{judge}` |
| Kept when | valid ≥ {limits.valid}, best − median ≥ {limits.margin}, same program ≤ {limits.agreement} |
| Seed | {seed} |

## What became of each combination
{funnel}

Difficulty: {difficulty}. Median share of valid solutions {valid:.2f}, median spread of scores {spread:.3f}.

![statistics](statistics.svg)

## Use
- **TRL**: `load_dataset("parquet", data_files="set.parquet")`; `prompt` is a conversation, `language` goes to the reward.
- **veRL**: `data.train_files=set.parquet`; `extra_info` brings the problem to the reward function.
- **OpenRLHF**: `--data.prompt_dataset set.jsonl --data.input_key prompt --data.label_key label --data.apply_chat_template`.

The texts were written by language models: their licences and the seeds' licence apply. Look at some before you train.
"""


def funnel(written: list[Row], checked: list[Row], refused: dict[str, int], count: int) -> dict[str, int]:
    """How many combinations ended in which way."""
    dropped = Counter(str(row["dropped"]) for row in checked if row["dropped"] is not None)
    return {
        "combinations": len(written),
        **dict(sorted(dropped.items())),
        **dict(sorted(refused.items())),
        "in the set": count,
    }


def summary(made: list[Row], results: list[Row], ways: dict[str, int], graph: Row) -> Row:
    """The figures of the card and the plots."""
    facts = [result["facts"] for result in results]
    return {
        "funnel": ways,
        "difficulty": dict(sorted(Counter(row["difficulty"] for row in made).items())),
        "valid": [fact["valid"] for fact in facts],
        "spread": [fact["spread"] for fact in facts if fact["spread"] is not None],
        "margin": [fact["margin"] for fact in facts if fact["margin"] is not None],
        "concepts": dict(Counter(graph["frequency"]).most_common(TOP_CONCEPTS)),
        "used_concepts": dict(Counter(name for row in made for name in row["concepts"]).most_common(TOP_CONCEPTS)),
    }


def plot(path: Path, figures: Row) -> None:
    """Four panels: what became of the combinations, concepts, valid solutions, spread of scores."""
    with mpl.rc_context({"svg.hashsalt": "codescaler", "font.size": 8}):
        drawing = Figure(figsize=(10, 7), layout="constrained")
        panels = drawing.subplots(2, 2)
        names = list(figures["funnel"])
        panels[0, 0].barh(names[::-1], [figures["funnel"][name] for name in names[::-1]])
        panels[0, 0].set_title("what became of each combination")
        concepts = list(figures["used_concepts"])[::-1]
        panels[0, 1].barh(concepts, [figures["used_concepts"][name] for name in concepts])
        panels[0, 1].set_title("most frequent concepts in the set")
        panels[1, 0].hist(figures["valid"], bins=[n / 10 for n in range(11)])
        panels[1, 0].set_title("share of valid solutions a problem")
        panels[1, 1].hist(figures["spread"], bins=20)
        panels[1, 1].set_title("spread of scores a problem")
        drawing.savefig(path, metadata={"Date": None})


def write(
    folder: Path, how: Settings, limits: Limits, known: list[Row], results: list[Row], graph: Row, figures: Row
) -> None:
    """statistics.json, statistics.svg and README.md."""
    (folder / "statistics.json").write_text(json.dumps(figures, indent=1) + "\n")
    plot(folder / "statistics.svg", figures)
    asked = sum(row["from"] == "model" for row in known)
    checked_against = [str(path.name) for path in (*([how.heldout] if how.heldout else []), *how.exclude)]
    (folder / "README.md").write_text(
        CARD.format(
            count=figures["funnel"]["in the set"],
            seeds=how.seeds.name,
            seed_count=len(known),
            concept_source=f"of {asked} seeds asked from the writer, of {len(known) - asked} read from the syntax",
            concepts=len(graph["frequency"]),
            edges=sum(len(near) for near in graph["edges"].values()) // 2,
            walk=how.walk,
            walk_temperature=how.walk_temperature,
            writer=how.writer.model,
            write_temperature=how.write_temperature,
            similarity=how.similarity,
            heldout=", ".join(f"`{name}`" for name in checked_against) or "nothing (no list was given)",
            policy=how.policy.model,
            solutions=how.solutions,
            solve_temperature=how.solve_temperature,
            judge=results[0]["judge"] if results else "none",
            limits=limits,
            seed=how.seed,
            funnel="\n".join(f"- {name}: {number}" for name, number in figures["funnel"].items()),
            difficulty=", ".join(f"{number} {level}" for level, number in figures["difficulty"].items()) or "none",
            valid=statistics.median(figures["valid"]) if figures["valid"] else 0.0,
            spread=statistics.median(figures["spread"]) if figures["spread"] else 0.0,
        )
    )
