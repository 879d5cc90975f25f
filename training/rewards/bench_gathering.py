"""What gathering single samples saves: tokens decoded by a real server, and time, against two baselines of the same run.

  CODESCALER_URL=… CODESCALER_TOKEN=… python training/rewards/bench_gathering.py [--problems 32] [--samples 8]

`alone` sends each sample as a request of its own, `gathered` goes through the gatherer as veRL and OpenRLHF do, `whole`
is one call with everything. All samples come in the same moment and in random order, or spread over --spread seconds.
The three take turns, with programs that no other turn had, so that no reward is known beforehand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from codescaler_rewards.gatherer import Gatherer
from codescaler_rewards.reward_client import Part, RewardClient

WORDS = (
    "list of numbers text tree graph edge node value index order sum count first last even odd longest shortest".split()
)

Sample = tuple[str, str]


def samples(options: argparse.Namespace, turn: str, round_number: int) -> list[Sample]:
    """(problem, reply) of one turn, in random order."""
    rng = random.Random(f"{turn}{round_number}")
    made = []
    for number in range(options.problems):
        words = " ".join(rng.choice(WORDS) for _ in range(options.prompt_words))
        problem = f"Problem {turn}{round_number}.{number}: {words}."
        for sample in range(options.samples):
            name = f"f_{number}_{sample}"
            code = f"def {name}(a, b):\n    c = a + {rng.randrange(10**6)}\n    return [c, b, {sample}]"
            made.append((problem, f"```python\n{code}\n```"))
    rng.shuffle(made)
    return made


def decoded(client: RewardClient) -> float:
    """Tokens that the servers have decoded so far."""
    total = 0.0
    for server in client.servers:
        request = urllib.request.Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {server.token}"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        total += sum(float(line.split()[-1]) for line in lines if line.startswith("codescaler_decoded_tokens_total"))
    return total


def alone(client: RewardClient, made: list[Sample], spread: float) -> None:
    def ask(item: tuple[int, Sample]) -> None:
        place, (problem, reply) = item
        time.sleep(max(0.0, started + spread * place / len(made) - time.monotonic()))
        client.ask(Part(problem, "", (reply,)), time.monotonic() + client.timeout, [])

    started = time.monotonic()
    with ThreadPoolExecutor(client.parallel_requests) as pool:
        list(pool.map(ask, enumerate(made)))


def gathered(client: RewardClient, made: list[Sample], spread: float) -> None:
    gatherer = Gatherer(client)

    async def ask(place: int, problem: str, reply: str) -> None:
        await asyncio.sleep(spread * place / len(made))
        await asyncio.wrap_future(gatherer.submit(problem, reply))

    async def every() -> None:
        await asyncio.gather(*(ask(place, *sample) for place, sample in enumerate(made)))

    asyncio.run(every())
    gatherer.pool.shutdown()


def whole(client: RewardClient, made: list[Sample], spread: float) -> None:
    time.sleep(spread)
    client.rewards([problem for problem, _ in made], [reply for _, reply in made])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=32)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--prompt-words", type=int, default=150)
    parser.add_argument("--spread", type=float, default=0.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    client = RewardClient(timeout=600)
    turns = {"alone": alone, "gathered": gathered, "whole": whole}
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    tokens: dict[str, list[float]] = {name: [] for name in turns}
    for round_number in range(options.rounds):
        for name, turn in turns.items():
            made = samples(options, name, round_number + os.getpid())
            before, started = decoded(client), time.monotonic()
            turn(client, made, options.spread)
            seconds[name].append(time.monotonic() - started)
            tokens[name].append(decoded(client) - before)
    figures = {
        name: {
            "seconds": statistics.median(seconds[name]),
            "tokens_a_sample": statistics.median(tokens[name]) / (options.problems * options.samples),
            "times_as_fast_as_alone": statistics.median(seconds["alone"]) / statistics.median(seconds[name]),
        }
        for name in turns
    }
    if options.json:
        print(json.dumps(figures))
        return
    for name, row in figures.items():
        print(f"{name:9} " + "  ".join(f"{key} {value:.2f}" for key, value in row.items()))


if __name__ == "__main__":
    main()
