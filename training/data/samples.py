"""Samples of a real model for problems with tests, from any server that speaks OpenAI's chat completions.

    python -m training.data.samples --server http://127.0.0.1:8080 --model NAME --mbpp mbpp.jsonl --out samples.jsonl

Each line: {"id", "sample", "model", "seed", "temperature", "top_p", "question", "text", "finish", "logprobs"?: {"sum",
"tokens"}}. The file grows by whole problems, test and training problems in turn in an order fixed by `--order-seed`, so
a run that was stopped is a random part of the whole, and the same command goes on with it.

The question is the problem's text and its first test, which gives the function's name and its arguments' form; the
model is asked for code only. With `--prefill` the reply begins inside a fence and ends with it (llama-server and vLLM
continue a last assistant message): no token goes to an introduction or an explanation.
"""

import argparse
import json
import random
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data import json_lines, mbpp

INSTRUCTION = "Reply with the code only, in one Python code block."
FENCE = "```python\n"
SECONDS = 600
"""How long one reply may take: a CPU under load decodes some tokens a second."""


@dataclass(frozen=True)
class Sampling:
    """How to sample; temperature and top_p as in OpenAI's API."""

    server: str
    model: str
    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    prefill: bool


def question(item: mbpp.Problem) -> str:
    """What is asked, and what a judge is told of the task."""
    return f"{item.text.strip()}\n\nThe function must pass this test:\n{item.tests[0]}"


def sample_seed(seed: int, task_id: int, sample: int) -> int:
    """A seed of its own for every sample, whatever runs beside it."""
    return seed * 1_000_000 + task_id * 1_000 + sample


def request_body(asked: str, how: Sampling, seed: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{asked}\n\n{INSTRUCTION}"}]
    body: dict[str, Any] = {
        "model": how.model,
        "messages": messages,
        "temperature": how.temperature,
        "top_p": how.top_p,
        "max_tokens": how.max_tokens,
        "seed": seed,
        "logprobs": True,
    }
    if how.prefill:
        messages.append({"role": "assistant", "content": FENCE})
        body |= {"stop": ["```"], "add_generation_prompt": False, "continue_final_message": True}
    return body


def parse_reply(reply: dict[str, Any]) -> dict[str, Any]:
    """Text, finish reason and, where the server gives them, log-probabilities of a chat completion."""
    choice = reply["choices"][0]
    parsed = {"text": choice["message"]["content"] or "", "finish": choice["finish_reason"]}
    tokens = (choice.get("logprobs") or {}).get("content")
    if tokens:
        parsed["logprobs"] = {"sum": round(sum(token["logprob"] for token in tokens), 4), "tokens": len(tokens)}
    return parsed


def ask(how: Sampling, body: dict[str, Any]) -> dict[str, Any]:
    """One chat completion. Raises OSError when the server cannot be reached, ValueError when it refuses."""
    url = f"{how.server.rstrip('/')}/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return parse_reply(json.load(response))
    except urllib.error.HTTPError as refused:
        said = " ".join(refused.read(500).decode(errors="replace").split())
        raise ValueError(f"{url} answered {refused.code}: {said}") from refused


def order(items: list[mbpp.Problem], seed: int) -> list[mbpp.Problem]:
    """Test and other problems in turn, each in random order, so that every beginning is a fair part of both."""
    rng = random.Random(seed)
    test = [item for item in items if item.task_id in mbpp.TEST]
    other = [item for item in items if item.task_id not in mbpp.TEST]
    rng.shuffle(test)
    rng.shuffle(other)
    pairs = [item for pair in zip(test, other, strict=False) for item in pair]
    shorter = min(len(test), len(other))
    return pairs + test[shorter:] + other[shorter:]


def complete_problems(path: Path, count: int) -> set[int]:
    """The problems that have all their samples; those of a problem that was cut off are taken out of the file."""
    if not path.exists():
        return set()
    rows = list(json_lines.read(path))
    found: dict[int, int] = {}
    for row in rows:
        found[row["id"]] = found.get(row["id"], 0) + 1
    whole = {task_id for task_id, samples in found.items() if samples >= count}
    if len(whole) < len(found):
        json_lines.write(path, (row for row in rows if row["id"] in whole))
    return whole


def sampled(item: mbpp.Problem, count: int, how: Sampling, pool: ThreadPoolExecutor) -> Iterator[dict[str, Any]]:
    """`count` samples of one problem, asked at the same time."""
    asked = question(item)
    seeds = [sample_seed(how.seed, item.task_id, sample) for sample in range(count)]
    replies = pool.map(lambda seed: ask(how, request_body(asked, how, seed)), seeds)
    for sample, (seed, reply) in enumerate(zip(seeds, replies, strict=True)):
        yield {
            "id": item.task_id,
            "sample": sample,
            "model": how.model,
            "seed": seed,
            "temperature": how.temperature,
            "top_p": how.top_p,
            "question": asked,
            **reply,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True, help="address of the server, without /v1")
    parser.add_argument("--model", required=True, help="name for the server and in the samples")
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10, help="samples a problem")
    parser.add_argument("--limit", type=int, help="problems in all")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--order-seed", type=int, default=12)
    parser.add_argument("--prefill", action="store_true", help="begin the reply inside a fence")
    arguments = parser.parse_args()
    how = Sampling(
        arguments.server,
        arguments.model,
        arguments.temperature,
        arguments.top_p,
        arguments.max_tokens,
        arguments.seed,
        arguments.prefill,
    )
    items = order(mbpp.load(arguments.mbpp, range(mbpp.TEST.start, mbpp.TRAIN.stop)), arguments.order_seed)
    items = items[: arguments.limit]
    done = complete_problems(arguments.out, arguments.count)
    left = [item for item in items if item.task_id not in done]
    with ThreadPoolExecutor(arguments.count) as pool, arguments.out.open("a", encoding="utf-8") as out:
        for place, item in enumerate(left, 1):
            try:
                rows = list(sampled(item, arguments.count, how, pool))
            except (OSError, ValueError) as error:
                sys.exit(f"Sampling stopped at problem {item.task_id}: {error}. Run the same command to go on.")
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            out.flush()
            print(f"{len(done) + place} of {len(items)} problems", flush=True)


if __name__ == "__main__":
    main()
