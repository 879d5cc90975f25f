"""The whole synthesis: a server of OpenAI's API whose replies are set here, and rewards of a real codescaler server."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from codescaler_rewards import trl_reward, verl_reward

ROOT = Path(__file__).resolve().parents[3]
SERVER = Path(os.environ.get("CODESCALER_SERVER", ROOT / "dist/server.js"))
TOKEN = "synthesize-test"
SEEDS = [
    {"task_id": 601 + n, "text": text, "code": code, "test_list": [], "test_setup_code": ""}
    for n, (text, code) in enumerate(
        [
            ("Write a function to sort words by length.", "def f(a):\n    return sorted(a, key=lambda w: len(w))"),
            ("Write a function to count vowels.", "def f(s):\n    return sum(1 for c in s.lower() if c in 'aeiou')"),
            ("Write a function to merge two lists.", "def f(a, b):\n    return sorted(set(a) & set(b))[:3]"),
            ("Write a function to find powers.", "def f(n):\n    return [i ** 2 for i in range(n) if i % 2]"),
        ]
    )
]


@dataclass
class Writer:
    """What the language model wrote, and when it breaks."""

    url: str = ""
    problems: int = 0
    solutions: int = 0
    break_after: int = 10**9
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, prompt: str, seed: int) -> str | None:
        with self.lock:
            if self.problems + self.solutions >= self.break_after:
                return None
            if prompt.startswith("Which programming techniques"):
                return "no concepts at all to be found in this line of text"
            if prompt.startswith("Write one new"):
                self.problems += 1
                words = hashlib.sha256(prompt.encode()).hexdigest()[:12]
                spelled = " ".join(f"w{c}{n}" for n, c in enumerate(words))
                return f"Problem: Write a function `solve(values)` that returns {spelled} of the values."
            self.solutions += 1
            if seed % 5 == 0:
                return "I do not know."
            body = "\n".join(f"    total += values[{k}] * {(seed >> k) % 7}" for k in range(seed % 4 + 1))
            return f"```python\ndef solve(values):\n    total = 0\n{body}\n    return total\n```"


@pytest.fixture
def writer() -> Iterator[Writer]:
    state = Writer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = state.reply(body["messages"][0]["content"], body["seed"])
            status = 401 if text is None else 200
            answer: dict[str, Any] = {"choices": [{"message": {"content": text}}]}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        state.url = f"http://127.0.0.1:{running.server_address[1]}/v1"
        yield state
        running.shutdown()


@pytest.fixture(scope="module")
def reward_server() -> Iterator[str]:
    environment = {**os.environ, "CODESCALER_TOKEN": TOKEN, "CODESCALER_THREADS": "1", "CODESCALER_LOG_LEVEL": "error"}
    command = ["node", str(SERVER), "serve", "--device", "cpu", "--model", "nano", "--exit-with-stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()


def synthesize(folder: Path, writer: Writer, reward: str, *more: str) -> subprocess.CompletedProcess[str]:
    seeds = folder / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(seed) + "\n" for seed in SEEDS))
    command = [
        sys.executable, "-m", "training.synthesize", "--seeds", str(seeds), "--out", str(folder / "run"),
        "--writer", writer.url, "--writer-model", "set", "--reward", reward, "--problems", "6", "--solutions", "4", *more,
    ]  # fmt: skip
    environment = {**os.environ, "CODESCALER_TOKEN": TOKEN}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


def test_a_run_that_was_stopped_goes_on_and_ends_in_a_set_that_trainers_read(
    tmp_path: Path, writer: Writer, reward_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.break_after = 15
    broken = synthesize(tmp_path, writer, reward_server)
    assert broken.returncode == 1
    assert "answered 401" in broken.stderr.splitlines()[-1]
    assert "Traceback" not in broken.stderr
    writer.break_after = 10**9
    done = synthesize(tmp_path, writer, reward_server)
    assert done.returncode == 0, done.stderr
    ways = json.loads(done.stdout)
    assert ways["combinations"] == 6
    assert (writer.problems, writer.solutions) == (6, 24)  # nothing was asked twice

    run = tmp_path / "run"
    rows = [json.loads(line) for line in (run / "set.jsonl").read_text().splitlines()]
    assert len(rows) == ways["in the set"] > 0
    assert pq.read_table(run / "set.parquet").to_pylist() == rows
    for row in rows:
        assert row["prompt"][0]["content"].startswith(row["problem"])
        assert row["judge"] == "nano"
        assert row["facts"]["valid"] >= 0.5
        assert "def solve" in row["best"]
    card = (run / "README.md").read_text()
    assert "of 0 seeds asked from the writer, of 4 read from the syntax" in card
    assert "No solution was" in card
    assert (run / "statistics.svg").read_text().lstrip().startswith("<?xml")

    # The rewards that trainers get for a row are those of its problem.
    monkeypatch.setenv("CODESCALER_URL", reward_server)
    monkeypatch.setenv("CODESCALER_TOKEN", TOKEN)
    row = rows[0]
    reply = f"```python\n{row['best']}\n```"
    by_trl = trl_reward.codescaler_reward([row["prompt"]], [reply], language=[row["language"]])
    by_verl = verl_reward.compute_score(
        row["data_source"], reply, row["reward_model"]["ground_truth"], row["extra_info"]
    )
    assert by_trl[0] > 0
    assert by_verl > 0

    other = synthesize(tmp_path, writer, reward_server, "--seed", "2")
    assert other.returncode == 1
    assert "was made with another seed" in other.stderr
