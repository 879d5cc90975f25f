"""Rewards for OpenRLHF as a service that speaks its remote protocol, for trainers and servers that are apart.

  codescaler-rewards serve --port 5000          and --reward.remote_url http://127.0.0.1:5000/get_reward

It answers `{"query": [text, …], "prompts"?: [text, …], "labels"?: […]}` with `{"rewards": [number, …], "scores": […]}`
in the same order; labels are not used. A score is the logit as a chance, 0 for invalid, for dynamic filtering.
The protocol has no access token: the service listens on this machine only unless --host says otherwise.
"""

from __future__ import annotations

import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeGuard

from codescaler_rewards import shared
from codescaler_rewards.openrlhf_rewards import chance, rewards_of
from codescaler_rewards.reward_client import RewardsUnavailable

# A step of 2,048 samples of 4,096 tokens is some 50 MB.
MAX_BODY = 256 * 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """One request of a trainer; each has a thread of its own, so that single samples can be gathered."""

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

    def send(self, status: int, body: dict[str, object]) -> None:
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
    if not are_texts(queries):
        raise ValueError("query must be a list of texts.")
    if prompts is not None and (not are_texts(prompts) or len(prompts) != len(queries)):
        raise ValueError("prompts must be as many texts as query has.")
    return queries, prompts


def are_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


class Service(ThreadingHTTPServer):
    daemon_threads = True
    # All workers of a trainer connect in the same moment.
    request_queue_size = 128


def serve(host: str, port: int) -> None:
    """Runs the service until it is interrupted; its address is printed as one line of JSON.

    Raises ValueError when no reward server is named.
    """
    shared.gatherer()
    service = Service((host, port), Handler)
    print(json.dumps({"url": f"http://{host}:{service.server_port}/get_reward"}), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        service.serve_forever()
