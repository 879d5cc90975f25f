"""Rewards of replies from codescaler servers: many samples at once, in order, always finite. Standard library only.

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
import ssl
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

INVALID = 0.0
# Limits of the server (docs/http.md); what exceeds them is never sent.
REQUEST_SAMPLES = 256
REQUEST_CHARACTERS = 4_000_000
TEXT_UNITS = 1_000_000
# Requests in flight to one server: its queue stays full and short, and other clients find room in it.
REQUESTS_PER_SERVER = 8
# OpenRLHF waits 180 seconds for an answer; a late one is lost altogether.
TIMEOUT_S = 150.0
CONNECT_S = 10.0
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 8.0


class RewardsUnavailable(Exception):
    """No server answered any part of a call; the message says why."""


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
    """One request: samples of one problem, by their places in the call."""

    problem: str
    language: str
    indices: tuple[int, ...]


class Refused(Exception):
    """The server will not answer this request, however often it is asked."""


class Server:
    """One server: how to reach it, and how busy this process keeps it."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"{url!r} is no address of a server. Give one like http://127.0.0.1:8123.")
        self.url = url
        self.host, self.port, self.secure = parts.hostname, parts.port, parts.scheme == "https"
        self.path = parts.path.rstrip("/") + "/v1/rank"
        self.token = token
        self.in_flight = 0
        self.away_until = 0.0
        self.lock = threading.Lock()
        self.idle: list[http.client.HTTPConnection] = []

    def post(self, body: bytes, seconds: float) -> tuple[int, float | None, bytes]:
        """(status, seconds of Retry-After, body). Raises OSError or HTTPException when there is no answer."""
        with self.lock:
            kept = self.idle.pop() if self.idle else None
        try:
            if kept is not None:
                try:
                    return self.exchange(kept, body, seconds)
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                    # It was closed while nothing was sent; this says nothing about the server.
                    kept.close()
            kept = self.connect(seconds)
            return self.exchange(kept, body, seconds)
        except BaseException:
            if kept is not None:
                kept.close()
            raise

    def close(self) -> None:
        with self.lock:
            while self.idle:
                self.idle.pop().close()

    def connect(self, seconds: float) -> http.client.HTTPConnection:
        """A connection that stands: a server that cannot be reached must not use up the time of a whole call."""
        limit = min(seconds, CONNECT_S)
        if self.secure:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=limit, context=ssl.create_default_context())
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=limit)
        connection.connect()
        return connection

    def exchange(self, connection: http.client.HTTPConnection, body: bytes, seconds: float) -> tuple[int, float | None, bytes]:
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        connection.request("POST", self.path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        if reply.will_close:
            connection.close()
        else:
            with self.lock:
                self.idle.append(connection)
        wait = reply.getheader("Retry-After")
        return reply.status, float(wait) if wait and wait.isdecimal() else None, content


class Client:
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
        self.servers = [Server(url, token) for url in found]
        self.model = model or os.environ.get("CODESCALER_MODEL") or None
        self.language = language or os.environ.get("CODESCALER_LANGUAGE", "")
        self.criterion = criterion
        self.timeout = float(timeout if timeout is not None else os.environ.get("CODESCALER_TIMEOUT", TIMEOUT_S))
        self.lock = threading.Lock()
        self.last = Report()

    def close(self) -> None:
        """Closes the connections that are kept for the next call."""
        for server in self.servers:
            server.close()

    def rewards(self, problems: Sequence[str], replies: Sequence[str], languages: Sequence[str | None] | None = None) -> list[float]:
        """Rewards in the order of the samples. Raises RewardsUnavailable; `last` tells what became of the call."""
        if len(problems) != len(replies) or (languages is not None and len(languages) != len(replies)):
            raise ValueError(f"{len(problems)} problems and {len(replies)} replies do not belong together.")
        started = time.monotonic()
        deadline = started + self.timeout
        found: dict[int, float] = {}
        report = Report(samples=len(replies))
        parts = self.parts(problems, replies, languages, found)
        workers = min(len(parts), REQUESTS_PER_SERVER * len(self.servers))
        if workers:
            with ThreadPoolExecutor(workers) as pool:
                # A part answers or fails by the deadline, so this ends with it.
                list(pool.map(lambda part: self.answer(part, replies, deadline, found, report), parts))
        if parts and not any(index in found for part in parts for index in part.indices):
            raise RewardsUnavailable(report.problems[-1] if report.problems else "No reward server answered in time.")
        report.missing = len(replies) - len(found)
        report.invalid = sum(1 for value in found.values() if value == INVALID)
        report.seconds = time.monotonic() - started
        self.last = report
        return filled(problems, found)

    def parts(
        self, problems: Sequence[str], replies: Sequence[str], languages: Sequence[str | None] | None, found: dict[int, float]
    ) -> list[Part]:
        """Requests that fit the server's limits. A reply that no server would read is invalid at once."""
        groups: dict[tuple[str, str], list[int]] = {}
        for index, reply in enumerate(replies):
            if units(reply) > TEXT_UNITS:
                found[index] = INVALID
            else:
                own = languages[index] if languages is not None else None
                groups.setdefault((problems[index], own or self.language), []).append(index)
        parts = []
        for (problem, language), indices in groups.items():
            start, size = 0, 0
            for end, index in enumerate(indices):
                size += len(replies[index])
                if end > start and (end - start >= REQUEST_SAMPLES or size > REQUEST_CHARACTERS):
                    parts.append(Part(problem, language, tuple(indices[start:end])))
                    start, size = end, len(replies[index])
            parts.append(Part(problem, language, tuple(indices[start:])))
        return parts

    def answer(self, part: Part, replies: Sequence[str], deadline: float, found: dict[int, float], report: Report) -> None:
        """Asks until there is an answer, a refusal, or no time. Fills in what is found."""
        body = json.dumps({
            "task": {"question": part.problem, **({"language": part.language} if part.language else {})},
            "candidates": [{"id": str(index), "text": replies[index]} for index in part.indices],
            "mode": "strict", "priority": "bulk",
            **({"model": self.model} if self.model else {}), **({"criterion": self.criterion} if self.criterion else {}),
        }).encode()  # fmt: skip
        pause = FIRST_PAUSE_S
        while (left := deadline - time.monotonic()) > 0:
            server = self.choose()
            try:
                status, wait, content = server.post(body, left)
                if status == 200:
                    answered = rewards_in(content, part.indices)
                    with self.lock:
                        found.update(answered)
                    return
                problem = f"{server.url} answered {status}: {message_in(content)}"
                if status not in TRANSIENT:
                    raise Refused(problem)
            except (OSError, http.client.HTTPException) as error:
                problem, wait = f"{server.url} does not answer ({error or type(error).__name__})", None
                with self.lock:
                    server.away_until = time.monotonic() + pause
            except (Refused, ValueError) as error:
                with self.lock:
                    report.problems.append(str(error))
                return
            finally:
                with self.lock:
                    server.in_flight -= 1
            with self.lock:
                report.problems.append(problem)
            # Spread out, so that requests which were turned away together do not come back together.
            pause = min(2 * pause, LONGEST_PAUSE_S)
            time.sleep(min((wait or pause) * random.uniform(0.75, 1.25), max(0.0, deadline - time.monotonic())))

    def choose(self) -> Server:
        """The least busy server of those that answered last time."""
        with self.lock:
            now = time.monotonic()
            here = [server for server in self.servers if server.away_until <= now] or self.servers
            server = min(here, key=lambda one: one.in_flight)
            server.in_flight += 1
            return server


def rewards_in(content: bytes, indices: tuple[int, ...]) -> dict[int, float]:
    """Rewards by place. Raises ValueError for an answer that is not about exactly these samples."""
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
    if found.keys() != set(indices):
        raise ValueError("The server's answer does not name the samples that were sent.")
    return found


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
    return math.fsum(values) / len(values) if values else INVALID


def units(text: str) -> int:
    """Length in UTF-16 units, which is what the server counts."""
    return len(text) + sum(1 for character in text if character > "\uffff") if len(text) > TEXT_UNITS // 2 else len(text)


def message_in(content: bytes) -> str:
    """The server's sentence, or what came instead of one."""
    try:
        return str(json.loads(content)["error"]["message"])
    except (KeyError, TypeError, ValueError):
        return content[:200].decode("utf-8", "replace")
