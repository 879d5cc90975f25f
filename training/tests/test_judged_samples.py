"""Sampling from a server, verdicts of tests, and the judged problems that come of them."""

from __future__ import annotations

import json
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from training.data import isolated_tests, json_lines, mbpp, samples, verdicts

MBPP_ROWS = [
    {"task_id": number, "text": f"Add {number}.", "code": "def add(a):\n    return a", "test_setup_code": "",
     "test_list": [f"assert add(1) == {number + 1}", f"assert add(2) == {number + 2}"]}
    for number in (20, 21, 600, 700, 701)
]  # fmt: skip


class Server(BaseHTTPRequestHandler):
    """Answers like an OpenAI-compatible server whose model is right for every seed that is even."""

    requests: list[dict[str, Any]]
    refuse_from: int

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(body)
        if len(self.requests) > self.refuse_from:
            self.send_error(503, "busy")
            return
        number = int(body["messages"][0]["content"].split()[1].rstrip("."))
        code = f"def add(a):\n    return a + {number if body['seed'] % 2 == 0 else 0}\n"
        tokens = [{"token": "x", "logprob": -0.25}, {"token": "y", "logprob": -0.5}]
        choice = {"message": {"content": code}, "finish_reason": "stop", "logprobs": {"content": tokens}}
        answer = json.dumps({"choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[type[Server], str]]:
    handler = type("Handler", (Server,), {"requests": [], "refuse_from": 10**9})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "mbpp.jsonl"
    json_lines.write(path, MBPP_ROWS)
    return path


def run_samples(monkeypatch: pytest.MonkeyPatch, url: str, problems: Path, out: Path, *more: str) -> None:
    given = ["samples", "--server", url, "--model", "m", "--mbpp", str(problems), "--out", str(out), "--count", "4"]
    monkeypatch.setattr(sys, "argv", given + list(more))
    samples.main()


def test_samples_become_judged_problems_of_one_split(
    monkeypatch: pytest.MonkeyPatch, server: tuple[type[Server], str], problems: Path, tmp_path: Path
) -> None:
    out, judged = tmp_path / "samples.jsonl", tmp_path / "judged.jsonl"
    run_samples(monkeypatch, server[1], problems, out)
    monkeypatch.setattr(
        sys, "argv", ["verdicts", str(out), "--mbpp", str(problems), "--split", "train", "--out", str(judged)]
    )
    verdicts.main()
    rows = list(json_lines.read(judged))
    assert [row["id"] for row in rows] == ["mbpp-600", "mbpp-700", "mbpp-701"]
    assert rows[0]["task"] == {"question": "Add 600.\n\nThe function must pass this test:\nassert add(1) == 601"}
    assert [sample["passed"] for sample in rows[0]["samples"]] == [True, False, True, False]
    assert rows[0]["samples"][0]["logprobs"] == {"sum": -0.75, "tokens": 2}


def test_sampling_goes_on_after_the_last_whole_problem(
    monkeypatch: pytest.MonkeyPatch, server: tuple[type[Server], str], problems: Path, tmp_path: Path
) -> None:
    handler, url = server
    out = tmp_path / "samples.jsonl"
    handler.refuse_from = 6
    with pytest.raises(SystemExit, match=r"answered 503.*Run the same command to go on"):
        run_samples(monkeypatch, url, problems, out)
    kept = out.read_text()
    assert len(kept.splitlines()) == 4
    out.write_text(kept + kept.splitlines()[0].replace('"id": ', '"id": 9') + "\n")  # a problem that was cut off
    handler.refuse_from = 10**9
    run_samples(monkeypatch, url, problems, out)
    rows = list(json_lines.read(out))
    assert out.read_text().startswith(kept)
    assert sorted({row["id"] for row in rows}) == [20, 21, 600, 700, 701]
    assert len(rows) == 20
    assert len({row["seed"] for row in rows}) == 20


def test_every_beginning_of_the_order_has_test_and_training_problems(problems: Path) -> None:
    ids = [item.task_id in mbpp.TEST for item in samples.order(mbpp.load(problems, range(11, 975)), 3)]
    assert ids == [True, False, True, False, False]


def test_a_reply_can_begin_inside_a_fence(
    monkeypatch: pytest.MonkeyPatch, server: tuple[type[Server], str], problems: Path, tmp_path: Path
) -> None:
    handler, url = server
    run_samples(monkeypatch, url, problems, tmp_path / "samples.jsonl", "--prefill", "--limit", "1")
    body = handler.requests[0]
    assert body["messages"][-1] == {"role": "assistant", "content": samples.FENCE}
    assert body["stop"] == ["```"]
    assert body["continue_final_message"] is True


def test_a_server_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch, problems: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Sampling stopped at problem"):
        run_samples(monkeypatch, "http://127.0.0.1:9", problems, tmp_path / "samples.jsonl")


@pytest.mark.parametrize(
    ("reply", "program"),
    [
        ("Here it is:\n```python\nx = 1\n```\nDone.", "x = 1\n"),
        ("```\nx = 1\n```\n```\ny = 2\n```", "x = 1\n"),
        ("```python\nx = 1", "x = 1"),
        ("def f():\n    return 1\n```\nIt returns one:\n```\n>>> 1\n```", "def f():\n    return 1\n"),
        ("x = 1", "x = 1"),
    ],
)
def test_the_program_of_a_reply_is_its_first_block(reply: str, program: str) -> None:
    assert verdicts.program(reply) == program


def test_programs_do_not_see_each_other_and_limits_end_them() -> None:
    programs = [
        "import builtins\nbuiltins.answer = 1",
        "answer",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "x = bytearray(2 << 30)",
        "with open('kept', 'w') as kept: kept.write('much')",
        "import time\nprint('silent')",
    ]
    assert isolated_tests.count_passed(programs, ["assert True"], seconds=0.2) == [1, 0, 0, 0, 0, 1]


def test_the_environment_of_the_user_does_not_reach_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", urllib.parse.quote("a b"))
    assert isolated_tests.count_passed(["import os"], ["assert 'SECRET' not in os.environ"]) == [1]
