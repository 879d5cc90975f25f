"""Turns preference groups into the judged samples that `codescaler eval` and `codescaler models calibrate` read.

One line a group: {"id", "task": {"question"}, "language", "samples": [{"text", "passed"}]}, the right program among the
wrong ones in random order. So the bars on held-out pairs are measured by the product's own pipeline, beside its
baselines: `eval best-of-n FILE --json` has `pairwise_accuracy`, `baselines_pairwise` and their intervals.
"""

import argparse
import gzip
import json
import random
from pathlib import Path
from typing import Any


def judged(row: dict[str, Any], name: str, rng: random.Random) -> dict[str, Any]:
    samples = [{"text": row["chosen"], "passed": True}]
    samples += [{"text": wrong["code"], "passed": False} for wrong in row["rejected"]]
    rng.shuffle(samples)
    return {"id": name, "task": {"question": row["problem"]}, "language": row["language"], "samples": samples}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--kinds", nargs="+", help="only wrong programs of these kinds, and groups that have one")
    parser.add_argument("--limit", type=int, help="groups a file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    count = 0
    with arguments.out.open("w") as out:
        for path in arguments.groups:
            with gzip.open(path, "rt") as lines:
                for place, line in enumerate(lines):
                    if arguments.limit is not None and place >= arguments.limit:
                        break
                    row = json.loads(line)
                    if arguments.kinds:
                        row["rejected"] = [wrong for wrong in row["rejected"] if wrong["kind"] in arguments.kinds]
                    if row["rejected"]:
                        name = f"{path.name.removesuffix('.jsonl.gz')}-{row.get('task_id', place)}"
                        out.write(json.dumps(judged(row, name, rng)) + "\n")
                        count += 1
    print(f"{count} problems")


if __name__ == "__main__":
    main()
