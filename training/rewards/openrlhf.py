"""Rewards for OpenRLHF, in both forms that `--remote_rm_url` takes.

As a file:     --remote_rm_url /path/to/training/rewards/openrlhf.py
As a service:  python openrlhf.py --port 5000, and --remote_rm_url http://127.0.0.1:5000/get_reward

CODESCALER_URL and CODESCALER_TOKEN say where the codescaler servers are (client.py has all variables). The service
answers `{"query": [text, …], "prompts"?: [text, …], "labels"?: […]}` with `{"rewards": [number, …], "scores": […]}`
in the same order; labels are not used. A score is the logit as a chance, 0 for invalid, for dynamic filtering.
The protocol has no access token: the service listens on this machine only unless --host says otherwise.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# OpenRLHF loads this file by its path.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import Client, RewardsUnavailable  # noqa: E402
from conversations import split_query  # noqa: E402

# A step of 2,048 samples of 4,096 tokens is some 50 MB.
MAX_BODY = 256 * 1024 * 1024


@functools.cache
def client() -> Client:
    """One for the process, made with the first call, when the environment is complete."""
    return Client()


def rewards_of(queries: list[str], prompts: list[str] | None) -> list[float]:
    pairs = [split_query(query, prompts[i] if prompts else None) for i, query in enumerate(queries)]
    return client().rewards([problem for problem, _ in pairs], [reply for _, reply in pairs])


def chance(reward: float) -> float:
    """softplus(logit) → sigmoid(logit): 1 - e^-reward; 0 for an invalid program."""
    return -math.expm1(-reward)


def reward_func(queries: list[str], prompts: list[str], labels: list[object], **_: object) -> dict[str, object]:
    """OpenRLHF's own form of a reward function: tensors by name."""
    import torch

    rewards = rewards_of(list(queries), list(prompts))
    report = client().last
    logs = {"codescaler_invalid": report.invalid / max(report.samples, 1), "codescaler_missing": report.missing / max(report.samples, 1)}
    return {"rewards": torch.tensor(rewards), "scores": torch.tensor([chance(reward) for reward in rewards]), "extra_logs": logs}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                return self.send(413, {"error": "The body is too large; send fewer samples at once."})
            queries, prompts = texts_in(self.rfile.read(length))
        except (ValueError, RecursionError) as error:
            return self.send(422, {"error": str(error)})
        try:
            rewards = rewards_of(queries, prompts)
        except RewardsUnavailable as error:
            return self.send(503, {"error": str(error)})
        self.send(200, {"rewards": rewards, "scores": [chance(reward) for reward in rewards]})

    def send(self, status: int, body: dict) -> None:
        content = json.dumps(body, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status == 413:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: a trainer has its own log, and requests hold prompts."""


def texts_in(body: bytes) -> tuple[list[str], list[str] | None]:
    """(query, prompts). Raises ValueError with a sentence."""
    try:
        request = json.loads(body)
    except ValueError:
        raise ValueError("The body is not JSON.") from None
    queries = request.get("query") if isinstance(request, dict) else None
    prompts = request.get("prompts") if isinstance(request, dict) else None
    queries = [queries] if isinstance(queries, str) else queries
    prompts = [prompts] if isinstance(prompts, str) else prompts
    if not isinstance(queries, list) or not all(isinstance(text, str) for text in queries):
        raise ValueError("query must be a list of texts.")
    if prompts is not None and (not isinstance(prompts, list) or len(prompts) != len(queries) or not all(isinstance(text, str) for text in prompts)):
        raise ValueError("prompts must be as many texts as query has.")
    return queries, prompts


class Service(ThreadingHTTPServer):
    daemon_threads = True
    # All workers of a trainer connect in the same moment.
    request_queue_size = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    options = parser.parse_args()
    client()
    service = Service((options.host, options.port), Handler)
    print(json.dumps({"url": f"http://{options.host}:{service.server_port}/get_reward"}), flush=True)
    try:
        service.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
