"""Rewards of whole calls from real servers: what a reward is, and what happens when servers are busy or away."""

from __future__ import annotations

import math
import random
import socket

import pytest

from codescaler_rewards.reward_client import INVALID, RewardClient, RewardsUnavailable
from reward_servers import Relay, Server, fenced, step


def logit(server: Server, problem: str, code: str) -> float:
    """The reward by the other route, from which nothing of the client's own code follows."""
    messages = [{"role": "user", "content": problem}, {"role": "assistant", "content": code}]
    return float(server.post("/v1/score", {"items": [{"messages": messages}]})["rewards"][0])


def unused_address() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def test_valid_programs_get_softplus_of_the_logit_and_all_else_gets_zero(server: Server) -> None:
    code = "def add(a, b):\n    return a + b"
    replies = [
        fenced(code), code, "No.", "", fenced("def add(a, b:\n    return"), fenced(code) + fenced(code),
        f"<think>\n```python\nx = 1\n```\n</think>\n{fenced(code)}", "```python\n" + code, "\x00\ud800",
    ]  # fmt: skip
    rewards = RewardClient().rewards(["Add a and b."] * len(replies), replies)
    assert rewards[0] == pytest.approx(math.log1p(math.exp(logit(server, "Add a and b.", code))), abs=1e-6)
    assert rewards[1:6] == [INVALID] * 5
    assert rewards[6] == rewards[0]
    assert rewards[8] == INVALID
    assert all(math.isfinite(reward) for reward in rewards)


@pytest.mark.slow
def test_a_step_of_2048_keeps_the_order_whatever_company_samples_are_in(server: Server) -> None:
    problems, replies = step(2048)
    client = RewardClient(timeout=600)
    rewards = client.rewards(problems, replies)
    assert len(rewards) == 2048
    assert [reward == INVALID for reward in rewards] == ["cannot" in reply for reply in replies]
    assert (client.last.missing, client.last.samples, client.last.problems) == (0, 2048, [])
    some = random.Random(2).sample(range(2048), 16)
    alone = [RewardClient().rewards([problems[i]], [replies[i]])[0] for i in some]
    assert [rewards[i] for i in some] == pytest.approx(alone, abs=1e-4)


def test_a_problem_may_have_more_samples_than_a_request(server: Server) -> None:
    replies = [fenced(f"x = {index}") for index in range(600)]
    client = RewardClient()
    rewards = client.rewards(["Set x."] * 600, replies)
    assert (len(rewards), client.last.missing) == (600, 0)
    assert len(set(rewards)) > 300


def test_a_reply_longer_than_the_server_reads_is_invalid_and_hurts_no_other(server: Server) -> None:
    rewards = RewardClient().rewards(["Set x."] * 2, [fenced("x = 1"), "a" * 1_000_001])
    assert rewards[0] > 0
    assert rewards[1] == INVALID


def test_an_empty_call_gives_an_empty_answer(server: Server) -> None:
    assert RewardClient().rewards([], []) == []


def test_a_server_that_is_busy_or_loses_a_connection_is_asked_again(server: Server) -> None:
    relay = Relay(server.url)
    try:
        relay.lose, relay.turn_away = 1, 3
        problems, replies = step(32)
        client = RewardClient(relay.url)
        assert client.rewards(problems, replies) == RewardClient().rewards(problems, replies)
        assert client.last.missing == 0
        assert len(client.last.problems) == 3
    finally:
        relay.stop()


def test_a_dead_server_among_several_costs_nothing_but_time(server: Server) -> None:
    problems, replies = step(64)
    client = RewardClient([unused_address(), server.url])
    assert client.rewards(problems, replies) == RewardClient().rewards(problems, replies)
    assert client.last.missing == 0


def test_requests_go_to_all_servers(server: Server) -> None:
    relays = [Relay(server.url), Relay(server.url)]
    try:
        problems, replies = step(256)
        RewardClient([relay.url for relay in relays]).rewards(problems, replies)
        assert all(len(relay.bodies) >= 8 for relay in relays)
    finally:
        for relay in relays:
            relay.stop()


@pytest.mark.slow
def test_what_has_no_answer_in_time_gets_the_mean_of_its_problem_or_of_the_call(server: Server) -> None:
    relay = Relay(server.url)
    try:
        # The second request of the first problem, and the only one of the second, never come back.
        relay.holds = lambda body: b"x = 280" in body or b"Set y." in body
        problems = ["Set x."] * 300 + ["Set y."] * 3
        replies = [fenced(f"x = {index}") for index in range(303)]
        client = RewardClient(relay.url, timeout=15)
        rewards = client.rewards(problems, replies)
        assert client.last.missing == 47
        known = rewards[:256]
        assert len(set(known)) > 100
        assert rewards[256:] == pytest.approx([math.fsum(known) / 256] * 47)
    finally:
        relay.stop()


def test_a_call_without_any_answer_raises_instead_of_inventing_rewards(server: Server) -> None:
    with pytest.raises(RewardsUnavailable, match="does not answer"):
        RewardClient(unused_address(), timeout=1).rewards(["Set x."], [fenced("x = 1")])


def test_a_refusal_is_not_repeated_and_says_why(server: Server) -> None:
    relay = Relay(server.url)
    try:
        with pytest.raises(RewardsUnavailable, match="token"):
            RewardClient(relay.url, token="wrong").rewards(["Set x."], [fenced("x = 1")])
        with pytest.raises(RewardsUnavailable, match="No model named"):
            RewardClient(relay.url, model="no-such-model").rewards(["Set x."], [fenced("x = 1")])
        assert len(relay.bodies) == 2
    finally:
        relay.stop()
