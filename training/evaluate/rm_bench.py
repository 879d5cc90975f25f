"""A set in RM-Bench's format out of held-out groups: does style hide a bug from the reward model?

RM-Bench (Liu et al. 2024) asks for each prompt with three right and three wrong answers that differ in style alone, from
a bare program to an explained one in Markdown. Here the wrong program is one injected bug of the group; `codescaler eval
rm-bench FILE` scores it. One array of {"id", "prompt", "chosen" ×3, "rejected" ×3, "domain", "language"}.
"""

import argparse
import gzip
import json
import random
from itertools import islice
from pathlib import Path

from training.data.prompts import TITLES
from training.evaluate.pairwise import class_of

OPENINGS = (
    "Here is a {title} function that does this.",
    "The following {title} code solves the problem.",
    "Certainly! This can be done as follows.",
)
CLOSINGS = (
    "It goes through the input once and returns the result.",
    "You can call it with the arguments of the task; it handles the usual cases.",
    "Let me know if you would like tests for it, too.",
)


def styles(rng: random.Random, code: str, language: str) -> list[str]:
    """Concise, in plain words, and in Markdown with a heading and a list."""
    block = f"```{language}\n{code.strip(chr(10))}\n```"
    opening, closing = rng.choice(OPENINGS).format(title=TITLES[language]), rng.choice(CLOSINGS)
    return [
        block,
        f"{opening}\n\n{block}\n\n{closing}",
        f"## Solution\n\n{opening}\n\n{block}\n\n### Notes\n\n- **How it works**: {closing}\n- **Language**: {TITLES[language]}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--limit", type=int, help="groups a file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    items = []
    for path in arguments.groups:
        with gzip.open(path, "rt") as lines:
            for place, row in enumerate(map(json.loads, islice(lines, arguments.limit))):
                wrong = [one["code"] for one in row["rejected"] if class_of(one["kind"]) == "injected"]
                if wrong:
                    rejected, language = rng.choice(wrong), row["language"]
                    items.append({
                        "id": f"{path.name.removesuffix('.jsonl.gz')}-{row.get('task_id', place)}", "prompt": row["problem"],
                        "chosen": styles(rng, row["chosen"], language), "rejected": styles(rng, rejected, language),
                        "domain": "code", "language": language,
                    })  # fmt: skip
    arguments.out.write_text(json.dumps(items, indent=1))
    print(f"{len(items)} items")


if __name__ == "__main__":
    main()
