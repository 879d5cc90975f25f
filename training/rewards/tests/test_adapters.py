"""Each trainer's function, called as the trainer calls it, against a real server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.error

import pytest

from codescaler_rewards import trl_reward, verl_reward
from codescaler_rewards.reward_client import INVALID, RewardClient
from reward_servers import Server, fenced, post, step


def test_verl_reads_the_problem_from_extra_info_in_both_forms(server: Server) -> None:
    infos: list[dict[str, object]] = [
        {"problem": "Add a and b."},
        {"prompt": [{"role": "user", "content": "Add a and b."}]},
        {"question": "Add.", "language": "rust"},
    ]
    texts = [
        fenced("def f(a, b):\n    return a + b"),
        fenced("def f(a, b):\n    return a - b") + "<|im_end|>",
        fenced("x = 1"),
    ]

    async def together() -> list[float]:
        calls = (verl_reward.compute_score_async("d", t, None, i) for t, i in zip(texts, infos, strict=True))
        return list(await asyncio.gather(*calls))

    single = [verl_reward.compute_score("d", text, None, info) for text, info in zip(texts, infos, strict=True)]
    assert asyncio.run(together()) == pytest.approx(single, abs=1e-5)
    assert min(single[:2]) > INVALID
    # Python in a block is no Rust program.
    assert single[2] == INVALID
    with pytest.raises(ValueError, match="extra_info must hold the problem"):
        verl_reward.compute_score("d", texts[0], None, {})


def test_trl_takes_texts_and_conversations(server: Server) -> None:
    code = fenced("def f(a, b):\n    return a + b")
    texts = trl_reward.codescaler_reward(
        ["Add a and b."] * 2, [code, "No."], language=["python", "python"], completion_ids=[[1], [2]]
    )
    turns = trl_reward.codescaler_reward(
        [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add a and b."}]] * 2,
        [[{"role": "assistant", "content": code}], [{"role": "assistant", "content": "No."}]],
    )
    assert texts == turns
    assert texts[1] == INVALID
    assert texts[0] > INVALID


def test_openrlhf_as_a_service(server: Server) -> None:
    command = [sys.executable, "-m", "codescaler_rewards", "serve", "--port", "0"]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    try:
        url = json.loads(service.stdout.readline())["url"]
        problems, replies = step(40)
        prompts = [f"<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n" for problem in problems]
        queries = [f"{prompt}{reply}<|im_end|>" for prompt, reply in zip(prompts, replies, strict=True)]
        expected = RewardClient().rewards(problems, replies)
        for body in ({"query": queries, "prompts": prompts, "labels": [None] * 40}, {"query": queries}):
            reply = post(url, json.dumps(body).encode())
            assert reply["rewards"] == pytest.approx(expected, abs=1e-5)
            assert all(0 <= score < 1 for score in reply["scores"])
        for bad in (b"{", b"[]", b'{"query": [1]}', b'{"query": ["a"], "prompts": []}'):
            with pytest.raises(urllib.error.HTTPError) as refused:
                post(url, bad)
            with refused.value as error:
                assert error.code == 422
    finally:
        service.kill()
        service.wait()
        service.stdout.close()
