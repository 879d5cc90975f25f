"""Samples that come one by one share requests and get the rewards that a whole call gets."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from codescaler_rewards.gatherer import Gatherer
from codescaler_rewards.reward_client import INVALID, RewardClient, RewardsUnavailable
from reward_servers import Relay, Server, fenced, step
from test_client import unused_address


def test_single_samples_get_what_a_whole_call_gets(server: Server) -> None:
    problems, replies = step(64)
    gatherer = Gatherer(RewardClient())
    futures = [gatherer.submit(problem, reply) for problem, reply in zip(problems, replies, strict=True)]
    assert [future.result() for future in futures] == pytest.approx(RewardClient().rewards(problems, replies), abs=1e-5)
    gatherer.close()


def test_samples_of_a_problem_that_arrive_together_are_one_request(server: Server) -> None:
    relay = Relay(server.url)
    try:
        gatherer = Gatherer(RewardClient(relay.url), window=0.5)
        with ThreadPoolExecutor(24) as pool:
            futures = list(pool.map(lambda n: gatherer.submit(f"Set x to {n % 3}.", fenced(f"x = {n}")), range(24)))
        assert all(future.result() > INVALID for future in futures)
        sent = [json.loads(body) for body in relay.bodies]
        assert sorted(body["task"]["question"] for body in sent) == [f"Set x to {n}." for n in range(3)]
        assert [len(body["candidates"]) for body in sent] == [8, 8, 8]
        gatherer.close()
    finally:
        relay.stop()


def test_samples_that_arrive_while_all_requests_are_in_use_go_along_later(server: Server) -> None:
    relay = Relay(server.url)
    try:
        client = RewardClient(relay.url)
        gatherer = Gatherer(client, window=0)
        free = threading.Event()
        for _ in range(client.parallel_requests):
            gatherer.pool.submit(free.wait, 60)
        futures = [gatherer.submit("Set x.", fenced(f"x = {n}")) for n in range(300)]
        free.set()
        assert all(future.result() > INVALID for future in futures)
        assert sorted(len(json.loads(body)["candidates"]) for body in relay.bodies) == [44, 256]
        gatherer.close()
    finally:
        relay.stop()


def test_a_sample_whose_caller_gave_up_is_not_sent(server: Server) -> None:
    relay = Relay(server.url)
    try:
        gatherer = Gatherer(RewardClient(relay.url), window=0.5)
        kept, dropped = gatherer.submit("Set x.", fenced("x = 1")), gatherer.submit("Set x.", fenced("x = 2"))
        assert dropped.cancel()
        assert kept.result() > INVALID
        assert [len(json.loads(body)["candidates"]) for body in relay.bodies] == [1]
        gatherer.close()
    finally:
        relay.stop()


def test_a_failure_reaches_every_sample_of_the_request_and_no_other(server: Server) -> None:
    gatherer = Gatherer(RewardClient(unused_address(), timeout=1))
    for future in [gatherer.submit("Set x.", fenced(f"x = {n}")) for n in range(3)]:
        with pytest.raises(RewardsUnavailable, match="does not answer"):
            future.result()
    assert gatherer.submit("Set x.", "a" * 1_000_001).result() == INVALID
    gatherer.close()
