"""Rewards of many samples from codescaler servers: in order, always finite.

Samples of one problem travel together (`POST /v1/rank`, at most 256 a request), because the server reads what they
share only once. The program in a reply is found strictly: exactly one fenced block that parses, else the reward is
INVALID, and nothing is guessed. A valid program gets softplus of the model's logit, which is above INVALID.

Servers that are busy or away are asked again, others instead, until the time is up. A sample that has no answer by then
gets the mean of its problem's other samples (so that it teaches nothing), or else the mean of the whole call. A call
of which nothing was answered raises RewardsUnavailable: training must not go on without any reward.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from codescaler_rewards.reward_server import RewardServer, message_in

INVALID = 0.0
# Limits of the server (docs/http.md); what exceeds them is never sent.
REQUEST_SAMPLES = 256
REQUEST_CHARACTERS = 4_000_000
TEXT_UNITS = 1_000_000
# Requests in flight to one server: its queue stays full and short, and other clients find room in it.
REQUESTS_PER_SERVER = 8
# OpenRLHF waits 180 seconds for an answer; a late one is lost altogether.
TIMEOUT_S = 150.0
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 8.0


class RewardsUnavailable(Exception):
    """No server answered; the message says why."""


@dataclass
class Report:
    """What became of one call."""

    samples: int = 0
    invalid: int = 0
    """Samples whose reward is a mean of others, because no answer came in time."""
    missing: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """One request: samples of one problem."""

    problem: str
    language: str
    replies: tuple[str, ...]


class RewardClient:
    """Servers as one. Use one for the whole training; it may be called from several threads."""

    def __init__(
        self,
        urls: Sequence[str] | str | None = None,
        token: str | None = None,
        model: str | None = None,
        language: str = "",
        criterion: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """What is not given comes from CODESCALER_URL (several with commas), CODESCALER_TOKEN, CODESCALER_MODEL,
        CODESCALER_LANGUAGE and CODESCALER_TIMEOUT (seconds of a whole call).

        `language` is that of samples which bring none; empty: each fenced block says its own.
        """
        urls = urls or os.environ.get("CODESCALER_URL", "")
        found = [url.strip() for url in (urls.split(",") if isinstance(urls, str) else urls) if url.strip()]
        if not found:
            raise ValueError("No reward server is given. Set CODESCALER_URL, for example to http://127.0.0.1:8123.")
        token = os.environ.get("CODESCALER_TOKEN", "") if token is None else token
        self.servers = [RewardServer(url, token) for url in found]
        self.model = model or os.environ.get("CODESCALER_MODEL") or None
        self.language = language or os.environ.get("CODESCALER_LANGUAGE", "")
        self.criterion = criterion
        self.timeout = float(timeout if timeout is not None else os.environ.get("CODESCALER_TIMEOUT", TIMEOUT_S))
        self.lock = threading.Lock()
        self.last = Report()

    @property
    def parallel_requests(self) -> int:
        """Requests that may be in flight to all servers together."""
        return REQUESTS_PER_SERVER * len(self.servers)

    def close(self) -> None:
        """Closes the connections that are kept for the next call."""
        for server in self.servers:
            server.close()

    def rewards(
        self, problems: Sequence[str], replies: Sequence[str], languages: Sequence[str | None] | None = None
    ) -> list[float]:
        """Rewards in the order of the samples. Raises RewardsUnavailable; `last` says what became of the call."""
        if len(problems) != len(replies) or (languages is not None and len(languages) != len(replies)):
            raise ValueError(f"{len(problems)} problems and {len(replies)} replies do not belong together.")
        started = time.monotonic()
        deadline = started + self.timeout
        found: dict[int, float] = {}
        report = Report(samples=len(replies))
        requests = self.requests(problems, replies, languages, found)

        def answer(request: tuple[Part, tuple[int, ...]]) -> None:
            part, indices = request
            try:
                rewards = self.ask(part, deadline, report.problems)
            except RewardsUnavailable:
                return  # Its sentence is among the report's problems.
            with self.lock:
                found.update(zip(indices, rewards, strict=True))

        if requests:
            with ThreadPoolExecutor(min(len(requests), self.parallel_requests)) as pool:
                # A request is answered or fails by the deadline, so this ends with it.
                list(pool.map(answer, requests))
        if requests and not any(index in found for _, indices in requests for index in indices):
            raise RewardsUnavailable(report.problems[-1] if report.problems else "No reward server answered in time.")
        report.missing = len(replies) - len(found)
        report.invalid = sum(1 for value in found.values() if value == INVALID)
        report.seconds = time.monotonic() - started
        self.last = report
        return filled(problems, found)

    def requests(
        self,
        problems: Sequence[str],
        replies: Sequence[str],
        languages: Sequence[str | None] | None,
        found: dict[int, float],
    ) -> list[tuple[Part, tuple[int, ...]]]:
        """Requests within the server's limits, with the places of their samples in the call.

        A reply that no server would read is invalid at once: its reward goes into `found`.
        """
        groups: dict[tuple[str, str], list[int]] = {}
        for index, reply in enumerate(replies):
            if too_long(reply):
                found[index] = INVALID
            else:
                own = languages[index] if languages is not None else None
                groups.setdefault((problems[index], own or self.language), []).append(index)
        requests = []
        for (problem, language), indices in groups.items():
            left = indices
            while left:
                count = fitting([replies[index] for index in left])
                taken, left = tuple(left[:count]), left[count:]
                requests.append((Part(problem, language, tuple(replies[index] for index in taken)), taken))
        return requests

    def ask(self, part: Part, deadline: float, problems: list[str]) -> list[float]:
        """Rewards of one request, in order: asks until there is an answer, a refusal, or no time.

        `deadline` is a time of `time.monotonic`. What went wrong on the way is added to `problems`. Raises
        RewardsUnavailable.
        """
        body = json.dumps({
            "task": {"question": part.problem, **({"language": part.language} if part.language else {})},
            "candidates": [{"id": str(index), "text": reply} for index, reply in enumerate(part.replies)],
            "mode": "strict", "priority": "bulk",
            **({"model": self.model} if self.model else {}),
            **({"criterion": self.criterion} if self.criterion else {}),
        }).encode()  # fmt: skip
        pause = FIRST_PAUSE_S
        problem = "No reward server answered in time."
        while (left := deadline - time.monotonic()) > 0:
            server = self.choose()
            wait: float | None = None
            try:
                status, wait, content = server.post(body, left)
                with self.lock:
                    server.failures = 0
                if status == 200:
                    return rewards_in(content, len(part.replies))
                problem = f"{server.url} answered {status}: {message_in(content)}"
                if status not in TRANSIENT:
                    problems.append(problem)
                    raise RewardsUnavailable(problem)
            except ValueError as error:
                problems.append(str(error))
                raise RewardsUnavailable(str(error)) from None
            except (OSError, http.client.HTTPException) as error:
                problem = f"{server.url} does not answer ({error or type(error).__name__})"
                if self.leave_alone(server):
                    problems.append(problem)
                    continue
            finally:
                with self.lock:
                    server.in_flight -= 1
            problems.append(problem)
            # Spread out, so that requests which were turned away together do not come back together.
            pause = min(2 * pause, LONGEST_PAUSE_S)
            time.sleep(min((wait or pause) * random.uniform(0.75, 1.25), max(0.0, deadline - time.monotonic())))
        raise RewardsUnavailable(problem)

    def leave_alone(self, server: RewardServer) -> bool:
        """Asks a server that did not answer no more for a while, longer each time; True when there are others."""
        with self.lock:
            now = time.monotonic()
            server.away_until = now + min(FIRST_PAUSE_S * 2**server.failures, LONGEST_PAUSE_S)
            server.failures += 1
            return any(one.away_until <= now for one in self.servers)

    def choose(self) -> RewardServer:
        """The least busy server of those that answered last time."""
        with self.lock:
            now = time.monotonic()
            here = [server for server in self.servers if server.away_until <= now] or self.servers
            server = min(here, key=lambda one: one.in_flight)
            server.in_flight += 1
            return server


def fitting(replies: Sequence[str]) -> int:
    """How many of the first replies fit into one request; at least one."""
    size = 0
    for count, reply in enumerate(replies):
        size += len(reply)
        if count > 0 and (count == REQUEST_SAMPLES or size > REQUEST_CHARACTERS):
            return count
    return len(replies)


def rewards_in(content: bytes, samples: int) -> list[float]:
    """Rewards in order. Raises ValueError for an answer that is not about exactly these samples."""
    found: dict[int, float] = {}
    try:
        for candidate in json.loads(content)["candidates"]:
            value = float(candidate["shaped"]) if candidate["valid"] else INVALID
            if not math.isfinite(value):
                raise ValueError
            # Samples with the same program up to comments and layout are scored as one.
            for name in (candidate["id"], *candidate["duplicates"]):
                found[int(name)] = value
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ValueError("The server's answer is no ranking. Is it a codescaler server of this version?") from None
    if found.keys() != set(range(samples)):
        raise ValueError("The server's answer does not name the samples that were sent.")
    return [found[index] for index in range(samples)]


def filled(problems: Sequence[str], found: dict[int, float]) -> list[float]:
    """All rewards in order; what is missing gets the mean of its problem, or else of the call."""
    by_problem: dict[str, list[float]] = {}
    for index, value in found.items():
        by_problem.setdefault(problems[index], []).append(value)
    overall = mean(list(found.values()))
    return [
        found[index] if index in found else mean(by_problem[problem]) if problem in by_problem else overall
        for index, problem in enumerate(problems)
    ]


def mean(values: list[float]) -> float:
    """The mean; INVALID of nothing."""
    return math.fsum(values) / len(values) if values else INVALID


def too_long(reply: str) -> bool:
    """Whether the server refuses the reply by its length, which it counts in UTF-16 units."""
    if len(reply) <= TEXT_UNITS // 2:
        return False
    return len(reply) + sum(1 for character in reply if character > "\uffff") > TEXT_UNITS
