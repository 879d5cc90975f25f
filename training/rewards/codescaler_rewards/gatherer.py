"""Samples that arrive one by one, gathered into one request for each problem.

veRL and OpenRLHF ask for one sample at a time. The server reads what samples of a problem share only once when they
come together, so a sample waits some milliseconds for others of its problem; while all requests are in use it waits
anyway, and everything of its problem that has arrived by then goes along.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from codescaler_rewards.reward_client import INVALID, Part, RewardClient, fitting, too_long

# Far below the time a trainer takes to write one sample, and enough for what asyncio and threads hand over together
# (docs/rl.md has the measurement).
WINDOW_S = 0.02


@dataclass
class Group:
    """Samples of one problem that wait; `opened` is when the first of them came."""

    opened: float
    samples: list[tuple[str, Future[float]]] = field(default_factory=list)


class Gatherer:
    """Gathers samples for one client. May be used from several threads and event loops."""

    def __init__(self, client: RewardClient, window: float | None = None) -> None:
        """`window`: seconds that a sample waits for others of its problem (CODESCALER_GATHER_MS, 20 ms)."""
        self.client = client
        self.window = (
            float(os.environ.get("CODESCALER_GATHER_MS", WINDOW_S * 1000)) / 1000 if window is None else window
        )
        self.pool = ThreadPoolExecutor(client.parallel_requests, thread_name_prefix="codescaler-rewards")
        self.groups: dict[tuple[str, str], Group] = {}
        self.lock = threading.Lock()

    def submit(self, problem: str, reply: str, language: str | None = None) -> Future[float]:
        """The reward of one sample, as a future that raises RewardsUnavailable when no server answered in time."""
        future: Future[float] = Future()
        if too_long(reply):
            future.set_result(INVALID)
            return future
        key = (problem, language or self.client.language)
        with self.lock:
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = Group(time.monotonic())
                self.pool.submit(self.send, key)
            group.samples.append((reply, future))
        return future

    def send(self, key: tuple[str, str]) -> None:
        """Sends what has gathered for one problem, at most one request; the rest goes into the next."""
        with self.lock:
            opened = self.groups[key].opened
        time.sleep(max(0.0, opened + self.window - time.monotonic()))
        with self.lock:
            group = self.groups.pop(key)
            count = fitting([reply for reply, _ in group.samples])
            if count < len(group.samples):
                self.groups[key] = Group(group.opened, group.samples[count:])
                self.pool.submit(self.send, key)
        # A caller that gave up has cancelled its future.
        wanted = [sample for sample in group.samples[:count] if sample[1].set_running_or_notify_cancel()]
        if not wanted:
            return
        try:
            part = Part(*key, tuple(reply for reply, _ in wanted))
            rewards = self.client.ask(part, opened + self.client.timeout, [])
        except BaseException as error:
            for _, future in wanted:
                future.set_exception(error)
            return
        for (_, future), reward in zip(wanted, rewards, strict=True):
            future.set_result(reward)

    def close(self) -> None:
        """Waits for what is on its way and closes the connections."""
        self.pool.shutdown()
        self.client.close()
