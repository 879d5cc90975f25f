"""The reward adapters against real codescaler servers: `python -m unittest -v` in this folder. Standard library only.

Needs node and a built dist/server.js (npm run build), or CODESCALER_SERVER=path of a server.js.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = Path(os.environ.get("CODESCALER_SERVER", HERE.parent.parent / "dist/server.js"))
TOKEN = "rewards-test"
sys.path.insert(0, str(HERE))

import openrlhf  # noqa: E402
import trl_reward  # noqa: E402
import verl  # noqa: E402
from client import INVALID, Client, RewardsUnavailable  # noqa: E402
from conversations import problem_of, reply_of, split_query  # noqa: E402


class Process:
    """A codescaler server as its users run it."""

    def __init__(self) -> None:
        environment = {**os.environ, "CODESCALER_TOKEN": TOKEN, "CODESCALER_THREADS": "1", "CODESCALER_LOG_LEVEL": "error"}
        self.process = subprocess.Popen(
            ["node", str(SERVER), "serve", "--device", "cpu", "--model", "nano", "--exit-with-stdin"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip
        self.url = json.loads(self.process.stdout.readline())["url"]

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def post(self, path: str, body: object) -> dict:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, json.dumps(body).encode(), headers), timeout=120) as reply:
            return json.load(reply)


class Between:
    """A relay before a server that can turn requests away, lose them, or hold them back."""

    def __init__(self, target: str) -> None:
        self.target = target.removeprefix("http://")
        self.requests = 0
        self.turn_away = 0
        self.lose = 0
        self.holds = lambda body: False
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.requests += 1
                    number = outer.requests
                if outer.holds(body):
                    outer.released.wait(60)
                    self.close_connection = True
                    return
                if number <= outer.lose:
                    self.close_connection = True
                    return self.connection.shutdown(socket.SHUT_RDWR)
                if number <= outer.turn_away:
                    return self.answer(503, b'{"error":{"code":"too_busy","message":"Busy."}}', {"Retry-After": "0"})
                upstream = http.client.HTTPConnection(outer.target, timeout=60)
                upstream.request("POST", self.path, body, {**dict(self.headers), "Host": outer.target})
                reply = upstream.getresponse()
                self.answer(reply.status, reply.read(), {})
                upstream.close()

            def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # The client's time is up.

            def log_message(self, *_: object) -> None:
                pass

        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


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


class Rewards(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.process = Process()
        os.environ["CODESCALER_URL"], os.environ["CODESCALER_TOKEN"] = cls.process.url, TOKEN

    @classmethod
    def tearDownClass(cls) -> None:
        verl.client().close()
        trl_reward.client().close()
        cls.process.stop()

    def client(self, *arguments: object, **options: object) -> Client:
        client = Client(*arguments, **options)
        self.addCleanup(client.close)
        return client

    def logit(self, problem: str, code: str) -> float:
        """The reward by the other route, from which nothing of the adapters' own code follows."""
        messages = [{"role": "user", "content": problem}, {"role": "assistant", "content": code}]
        return self.process.post("/v1/score", {"items": [{"messages": messages}]})["rewards"][0]

    def test_valid_programs_get_softplus_of_the_logit_and_all_else_gets_zero(self) -> None:
        code = "def add(a, b):\n    return a + b"
        replies = [
            fenced(code), code, "No.", "", fenced("def add(a, b:\n    return"), fenced(code) + fenced(code),
            f"<think>\n```python\nx = 1\n```\n</think>\n{fenced(code)}", "```python\n" + code, "\x00\ud800",
        ]  # fmt: skip
        rewards = self.client().rewards(["Add a and b."] * len(replies), replies)
        self.assertAlmostEqual(rewards[0], math.log1p(math.exp(self.logit("Add a and b.", code))), places=6)
        self.assertEqual(rewards[1:6], [INVALID] * 5)
        self.assertEqual(rewards[6], rewards[0])
        self.assertEqual(rewards[8], INVALID)
        self.assertTrue(all(math.isfinite(reward) for reward in rewards))

    def test_a_step_of_2048_keeps_the_order_whatever_company_samples_are_in(self) -> None:
        problems, replies = step(2048)
        client = self.client(timeout=600)
        rewards = client.rewards(problems, replies)
        self.assertEqual(len(rewards), 2048)
        self.assertEqual([reward == INVALID for reward in rewards], ["cannot" in reply for reply in replies])
        self.assertEqual((client.last.missing, client.last.samples, client.last.problems), (0, 2048, []))
        some = random.Random(2).sample(range(2048), 16)
        alone = [self.client().rewards([problems[i]], [replies[i]])[0] for i in some]
        for place, reward in zip(some, alone, strict=True):
            self.assertAlmostEqual(rewards[place], reward, places=4)

    def test_more_samples_of_a_problem_than_a_request_may_have(self) -> None:
        replies = [fenced(f"x = {index}") for index in range(600)]
        client = self.client()
        rewards = client.rewards(["Set x."] * 600, replies)
        self.assertEqual((len(rewards), client.last.missing), (600, 0))
        self.assertGreater(len(set(rewards)), 300)

    def test_a_reply_longer_than_the_server_reads_is_invalid_and_hurts_no_other(self) -> None:
        rewards = self.client().rewards(["Set x."] * 2, [fenced("x = 1"), "a" * 1_000_001])
        self.assertGreater(rewards[0], 0)
        self.assertEqual(rewards[1], INVALID)

    def test_an_empty_call_gives_an_empty_answer(self) -> None:
        self.assertEqual(self.client().rewards([], []), [])

    def test_a_server_that_is_busy_or_loses_a_connection_is_asked_again(self) -> None:
        relay = Between(self.process.url)
        try:
            relay.lose, relay.turn_away = 1, 3
            problems, replies = step(32)
            client = self.client(relay.url)
            self.assertEqual(client.rewards(problems, replies), self.client().rewards(problems, replies))
            self.assertEqual(client.last.missing, 0)
            self.assertEqual(len(client.last.problems), 3)
        finally:
            relay.stop()

    def test_a_dead_server_among_several_costs_nothing_but_time(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
            problems, replies = step(64)
            client = self.client([dead, self.process.url])
            self.assertEqual(client.rewards(problems, replies), self.client().rewards(problems, replies))
            self.assertEqual(client.last.missing, 0)

    def test_requests_go_to_all_servers(self) -> None:
        relays = [Between(self.process.url), Between(self.process.url)]
        try:
            problems, replies = step(256)
            self.client([relay.url for relay in relays]).rewards(problems, replies)
            self.assertTrue(all(relay.requests >= 8 for relay in relays), [relay.requests for relay in relays])
        finally:
            for relay in relays:
                relay.stop()

    def test_what_has_no_answer_in_time_gets_the_mean_of_its_problem_or_of_the_call(self) -> None:
        relay = Between(self.process.url)
        try:
            # The second request of the first problem, and the only one of the second, never come back.
            relay.holds = lambda body: b'"id": "280"' in body or b"Set y." in body
            problems = ["Set x."] * 300 + ["Set y."] * 3
            replies = [fenced(f"x = {index}") for index in range(303)]
            client = self.client(relay.url, timeout=15)
            rewards = client.rewards(problems, replies)
            self.assertEqual(client.last.missing, 47)
            known = rewards[:256]
            self.assertGreater(len(set(known)), 100)
            for reward in rewards[256:]:
                self.assertAlmostEqual(reward, math.fsum(known) / 256)
        finally:
            relay.stop()

    def test_a_call_without_any_answer_raises_instead_of_inventing_rewards(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            client = self.client(f"http://127.0.0.1:{closed.getsockname()[1]}", timeout=1)
            with self.assertRaisesRegex(RewardsUnavailable, "does not answer"):
                client.rewards(["Set x."], [fenced("x = 1")])

    def test_a_refusal_is_not_repeated_and_says_why(self) -> None:
        started = time.monotonic()
        with self.assertRaisesRegex(RewardsUnavailable, "token"):
            self.client(token="wrong").rewards(["Set x."], [fenced("x = 1")])
        with self.assertRaisesRegex(RewardsUnavailable, "No model named"):
            self.client(model="no-such-model").rewards(["Set x."], [fenced("x = 1")])
        self.assertLess(time.monotonic() - started, 60)

    def test_verl_single_and_batched_agree_and_read_the_problem_from_extra_info(self) -> None:
        infos = [{"problem": "Add a and b."}, {"prompt": [{"role": "user", "content": "Add a and b."}]}, {"question": "Add.", "language": "rust"}]
        texts = [fenced("def f(a, b):\n    return a + b"), fenced("def f(a, b):\n    return a - b") + "<|im_end|>", fenced("x = 1")]
        batch = verl.compute_score_batch(data_sources=["d"] * 3, solution_strs=texts, ground_truths=[None] * 3, extra_infos=infos)
        single = [verl.compute_score("d", text, None, info) for text, info in zip(texts, infos, strict=True)]
        self.assertEqual(len(batch), 3)
        for a, b in zip(batch, single, strict=True):
            self.assertAlmostEqual(a, b, places=5)
        self.assertGreater(min(batch[:2]), 0)
        # Python in a block is no Rust program.
        self.assertEqual(batch[2], INVALID)
        with self.assertRaisesRegex(ValueError, "extra_info must hold the problem"):
            verl.compute_score("d", texts[0], None, {})

    def test_trl_takes_texts_and_conversations(self) -> None:
        code = fenced("def f(a, b):\n    return a + b")
        texts = trl_reward.codescaler_reward(["Add a and b."] * 2, [code, "No."], language=["python", "python"], completion_ids=[[1], [2]])
        turns = trl_reward.codescaler_reward(
            [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add a and b."}]] * 2,
            [[{"role": "assistant", "content": code}], [{"role": "assistant", "content": "No."}]],
        )
        self.assertEqual(texts, turns)
        self.assertEqual(texts[1], INVALID)
        self.assertGreater(texts[0], 0)

    def test_openrlhf_as_a_service(self) -> None:
        service = subprocess.Popen([sys.executable, str(HERE / "openrlhf.py"), "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            url = json.loads(service.stdout.readline())["url"]
            problems, replies = step(40)
            prompts = [f"<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n" for problem in problems]
            queries = [f"{prompt}{reply}<|im_end|>" for prompt, reply in zip(prompts, replies, strict=True)]
            expected = self.client().rewards(problems, replies)
            for body in ({"query": queries, "prompts": prompts, "labels": [None] * 40}, {"query": queries}):
                reply = self.post(url, json.dumps(body).encode())
                self.assertEqual(len(reply["rewards"]), 40)
                for a, b in zip(reply["rewards"], expected, strict=True):
                    self.assertAlmostEqual(a, b, places=5)
                self.assertTrue(all(0 <= score < 1 for score in reply["scores"]))
            for bad in (b"{", b"[]", b'{"query": [1]}', b'{"query": ["a"], "prompts": []}'):
                with self.assertRaises(urllib.error.HTTPError) as refused:
                    self.post(url, bad)
                with refused.exception as error:
                    self.assertEqual(error.code, 422)
        finally:
            service.kill()
            service.wait()
            service.stdout.close()

    def post(self, url: str, body: bytes) -> dict:
        with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=120) as reply:
            return json.load(reply)


class Conversations(unittest.TestCase):
    def test_the_problem_is_the_last_user_turn(self) -> None:
        self.assertEqual(problem_of("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nP\nQ<|im_end|>\n<|im_start|>assistant\n"), "P\nQ")
        self.assertEqual(problem_of("<|start_header_id|>user<|end_header_id|>\n\nP<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"), "P")
        self.assertEqual(problem_of([{"role": "user", "content": [{"type": "text", "text": "P"}]}]), "P")
        self.assertEqual(problem_of("plain"), "plain")
        with self.assertRaises(ValueError):
            problem_of(3)

    def test_end_tokens_and_padding_are_no_part_of_a_reply(self) -> None:
        self.assertEqual(reply_of("```\nx\n```<|im_end|>\n<|endoftext|><|endoftext|>"), "```\nx\n```")
        self.assertEqual(reply_of("print('<|im_end|>')"), "print('<|im_end|>')")

    def test_a_query_is_parted_with_and_without_its_prompt(self) -> None:
        prompt = "<|im_start|>user\nP<|im_end|>\n<|im_start|>assistant\n"
        for given in (prompt, None):
            self.assertEqual(split_query(prompt + "R<|im_end|>", given), ("P", "R"))
        self.assertEqual(split_query("Q: xR", "Q: x"), ("Q: x", "R"))


if __name__ == "__main__":
    unittest.main()
