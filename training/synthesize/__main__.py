"""Makes problems without tests for reinforcement learning, from seed problems to a set with a card.

  python -m training.synthesize --seeds mbpp.jsonl --writer http://127.0.0.1:8080/v1 --writer-model NAME \\
      --reward http://127.0.0.1:8123 --heldout heldout-13grams.txt.gz --out DIR

CODESCALER_TOKEN is the token of the reward server, OPENAI_API_KEY the key of the models where they want one. Every
stage keeps what it has: the same command goes on after a stop, and a larger --problems adds to what is there.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from training.data import json_lines
from training.reward_server import RewardModel, ServerRefused
from training.synthesize import card, dataset, stages
from training.synthesize.chat import ChatModel, ChatUnavailable
from training.synthesize.seeds import UnusableSeeds


class OtherRun(Exception):
    """The folder belongs to a run with other options; the message is a sentence for people."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training.synthesize", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=Path, required=True, help="JSON lines with problem and solution, or MBPP's file"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--writer", required=True, help="base URL of an OpenAI-compatible server, up to /v1")
    parser.add_argument("--writer-model", required=True)
    parser.add_argument("--policy", help="base URL of what solves the problems (default: the writer)")
    parser.add_argument("--policy-model")
    parser.add_argument("--reward", required=True, help="address of a codescaler server")
    parser.add_argument("--reward-model", default="", help="an installed model (default: the server's own)")
    parser.add_argument("--heldout", type=Path, help="list of hashed 13-grams that no problem may share")
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="files whose texts no problem may share")
    parser.add_argument("--concepts", choices=("model", "syntax"), default="model", help="where concepts come from")
    parser.add_argument("--problems", type=int, default=200, help="combinations of concepts to write problems for")
    parser.add_argument("--walk", type=int, default=4, help="most concepts of a problem")
    parser.add_argument(
        "--walk-temperature", type=float, default=2.0, help="above 1 rare combinations come up more often"
    )
    parser.add_argument("--write-temperature", type=float, default=0.8)
    parser.add_argument("--similarity", type=float, default=0.5, help="Jaccard similarity of near-duplicates")
    parser.add_argument("--solutions", type=int, default=8, help="solutions a problem")
    parser.add_argument("--solve-temperature", type=float, default=0.9)
    parser.add_argument("--max-tokens", type=int, default=400, help="of a reply")
    parser.add_argument("--min-valid", type=float, default=0.5)
    parser.add_argument("--min-margin", type=float, default=0.0)
    parser.add_argument("--max-agreement", type=float, default=0.9)
    parser.add_argument("--parallel", type=int, default=4, help="requests at the same time")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def settings_of(options: argparse.Namespace) -> stages.Settings:
    key = os.environ.get("OPENAI_API_KEY", "")
    writer = ChatModel(options.writer, options.writer_model, key, options.max_tokens)
    policy = ChatModel(
        options.policy or options.writer, options.policy_model or options.writer_model, key, options.max_tokens
    )
    reward = RewardModel(options.reward, os.environ.get("CODESCALER_TOKEN", ""), options.reward_model)
    return stages.Settings(
        options.seeds, writer, policy, reward, options.heldout, tuple(options.exclude), options.concepts == "model",
        options.problems, options.walk, options.walk_temperature, options.write_temperature, options.similarity,
        options.solutions, options.solve_temperature, options.seed, options.parallel,
    )  # fmt: skip


def require_same_run(folder: Path, how: stages.Settings) -> None:
    """Raises OtherRun when the folder was made with other options."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "options.json"
    wanted = how.fingerprint()
    if path.exists():
        found = json.loads(path.read_text())
        changed = [name for name in wanted if wanted[name] != found.get(name)]
        if changed:
            raise OtherRun(
                f"{folder} was made with another {', '.join(changed)}. Give the same options, or another --out."
            )
    path.write_text(json.dumps(wanted, indent=1) + "\n")


def make(folder: Path, how: stages.Settings, limits: dataset.Limits) -> dict[str, int]:
    """All stages; returns what became of the combinations."""
    require_same_run(folder, how)
    known = stages.concepts_of_seeds(folder, how)
    wanted = stages.combinations(folder, how, known)
    written = stages.written(folder, how, wanted, known)
    problems = stages.kept(folder, how, written, known)
    replies = stages.solved(folder, how, problems)
    results = stages.scored(folder, how, problems, replies)
    rows, refused = dataset.rows(problems, results, limits)
    for path in dataset.write(folder, rows):
        print(path, file=sys.stderr)
    checked = list(json_lines.read(folder / "4-problems.jsonl"))
    graph = next(iter(json_lines.read(folder / "2-graph.jsonl")))
    ways = card.funnel(written, checked, refused, len(rows))
    card.write(folder, how, limits, known, results, graph, card.summary(rows, results, ways, graph))
    return ways


def main() -> None:
    """Exit code 0 when done, 1 when a server or a file fails, 130 when stopped."""
    options = arguments()
    limits = dataset.Limits(options.min_valid, options.min_margin, options.max_agreement)
    try:
        ways = make(options.out, settings_of(options), limits)
    except (ChatUnavailable, ServerRefused, UnusableSeeds, OtherRun, OSError) as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        print("Stopped. The same command goes on.", file=sys.stderr)
        sys.exit(130)
    print(json.dumps(ways))


if __name__ == "__main__":
    main()
