"""What the tests ask: real codescaler servers, and relays that misbehave before them.

Needs node and a built dist/server.js (npm run build), or CODESCALER_SERVER=path of a server.js.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SERVER = Path(os.environ.get("CODESCALER_SERVER", ROOT / "dist/server.js"))
TOKEN = "rewards-test"


class Server:
    """A codescaler server as its users run it."""

    def __init__(self) -> None:
        environment = {
            **os.environ, "CODESCALER_TOKEN": TOKEN, "CODESCALER_THREADS": "1", "CODESCALER_LOG_LEVEL": "error",
        }  # fmt: skip
        self.process = subprocess.Popen(
            ["node", str(SERVER), "serve", "--device", "cpu", "--model", "nano", "--exit-with-stdin"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def post(self, path: str, body: object) -> dict[str, Any]:
        return post(self.url + path, json.dumps(body).encode(), TOKEN)

    def decoded_tokens(self) -> float:
        """Tokens that the server has decoded so far, by its metrics."""
        request = urllib.request.Request(self.url + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("codescaler_decoded_tokens_total"))


class Relay:
    """A relay before a server that can turn requests away, lose them, or hold them back."""

    def __init__(self, target: str) -> None:
        self.target = target.removeprefix("http://")
        self.bodies: list[bytes] = []
        self.turn_away = 0
        self.lose = 0
        self.holds: Callable[[bytes], bool] = lambda body: False
        self.released = threading.Event()
        self.lock = threading.Lock()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with relay.lock:
                    relay.bodies.append(body)
                    number = len(relay.bodies)
                if relay.holds(body):
                    relay.released.wait(60)
                    self.close_connection = True
                elif number <= relay.lose:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                elif number <= relay.turn_away:
                    busy = b'{"error":{"code":"too_busy","message":"Busy."}}'
                    self.answer(503, busy, {"Retry-After": "0"})
                else:
                    upstream = http.client.HTTPConnection(relay.target, timeout=60)
                    upstream.request("POST", self.path, body, {**dict(self.headers), "Host": relay.target})
                    reply = upstream.getresponse()
                    self.answer(reply.status, reply.read(), {})
                    upstream.close()

            def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):  # The client's time may be up.
                    self.wfile.write(body)

            def log_message(self, format: str, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def post(url: str, body: bytes, token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=120) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


def fenced(code: str, language: str = "python") -> str:
    return f"Here it is:\n\n```{language}\n{code}\n```\n"


def step(count: int, per_problem: int = 8, seed: int = 1) -> tuple[list[str], list[str]]:
    """Samples of a training step, in random order; every fifth holds no valid program."""
    rng = random.Random(seed)
    samples = []
    for index in range(count):
        number = index // per_problem
        code = f"def add_{number}(a):\n    return a + {number}  # {index}\n\nvalue = add_{number}({index})"
        samples.append((f"Add {number} to a.", "I cannot do that." if index % 5 == 0 else fenced(code)))
    rng.shuffle(samples)
    return [problem for problem, _ in samples], [reply for _, reply in samples]
