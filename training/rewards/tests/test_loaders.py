"""The reward functions through the trainers' own loading and calling code, of their last two releases.

Only the modules that load and call rewards run here: the rest of the trainers needs torch, Ray and vLLM.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from codescaler_rewards.reward_client import RewardClient
from reward_servers import Server, fenced, step
from test_children import TRAINERS

VERL = [path for path in TRAINERS if path.name.startswith("verl")]
OPENRLHF = [path for path in TRAINERS if path.name.startswith("openrlhf")]


def package(name: str, folder: Path, **members: object) -> ModuleType:
    """A package whose modules are the real ones, without what its __init__ would import."""
    made = ModuleType(name)
    made.__path__ = [str(folder)]
    for key, value in members.items():
        setattr(made, key, value)
    return made


def path_of(trainer: str) -> str:
    command = [sys.executable, "-m", "codescaler_rewards", "path", trainer]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def service(server: Server) -> Iterator[str]:
    """The address of our service for OpenRLHF."""
    command = [sys.executable, "-m", "codescaler_rewards", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.kill()


@pytest.fixture(params=VERL, ids=lambda path: path.name)
def verl_rewards(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """veRL's own module that loads reward functions."""
    folder: Path = request.param / "verl"
    for name in [name for name in sys.modules if name.split(".")[0] == "verl"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "verl", package("verl", folder, DataProto=object))
    monkeypatch.setitem(sys.modules, "verl.utils", package("verl.utils", folder / "utils"))
    monkeypatch.setitem(sys.modules, "verl.trainer", package("verl.trainer", folder / "trainer"))
    monkeypatch.setitem(sys.modules, "verl.trainer.ppo", package("verl.trainer.ppo", folder / "trainer/ppo"))
    return importlib.import_module("verl.trainer.ppo.reward")


@pytest.mark.parametrize("name", ["compute_score", "compute_score_async"])
@pytest.mark.parametrize("form", ["package", "file"])
def test_verl_loads_and_calls_the_function_that_the_documentation_names(
    server: Server, verl_rewards: ModuleType, name: str, form: str
) -> None:
    path = "pkg://codescaler_rewards.verl_reward" if form == "package" else path_of("verl")
    settings = {"path": path, "name": name, "reward_kwargs": {"model": "nano"}}
    function = verl_rewards.get_custom_reward_fn(SimpleNamespace(reward={"custom_reward_function": settings}))
    reply = fenced("def f(a, b):\n    return a + b")
    call = {"data_source": "d", "solution_str": reply, "ground_truth": None, "extra_info": {"problem": "Add a and b."}}
    result = function(**call)
    score = asyncio.run(result) if asyncio.iscoroutine(result) else result
    assert score == pytest.approx(RewardClient().rewards(["Add a and b."], [reply])[0], abs=1e-5)


def test_verl_ignores_the_older_setting(verl_rewards: ModuleType) -> None:
    older = SimpleNamespace(reward={}, custom_reward_function={"path": path_of("verl"), "name": "compute_score"})
    assert verl_rewards.get_custom_reward_fn(older) is None


@pytest.fixture(params=OPENRLHF, ids=lambda path: path.name)
def openrlhf_agent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """OpenRLHF's own module that asks for rewards."""
    pytest.importorskip("aiohttp")
    folder: Path = request.param / "openrlhf"
    for name in [name for name in sys.modules if name.split(".")[0] == "openrlhf"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openrlhf", package("openrlhf", folder))
    monkeypatch.setitem(sys.modules, "openrlhf.utils", package("openrlhf.utils", folder / "utils"))
    return importlib.import_module("openrlhf.utils.agent")


def queries_of(count: int) -> tuple[list[str], list[str], list[float]]:
    """Prompts, prompts with their replies, and the rewards they must get."""
    problems, replies = step(count)
    prompts = [f"<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n" for problem in problems]
    queries = [f"{prompt}{reply}<|im_end|>" for prompt, reply in zip(prompts, replies, strict=True)]
    return prompts, queries, RewardClient().rewards(problems, replies)


def test_openrlhf_asks_the_service_for_single_samples(openrlhf_agent: ModuleType, service: str) -> None:
    prompts, queries, expected = queries_of(32)
    executor = openrlhf_agent.SingleTurnAgentExecutor([service])

    async def rollouts() -> list[float]:
        asked = (executor._fetch_rewards_via_http([q], [p], [None]) for q, p in zip(queries, prompts, strict=True))
        return [answer[0]["rewards"][0] for answer in await asyncio.gather(*asked)]

    assert asyncio.run(rollouts()) == pytest.approx(expected, abs=1e-5)


def test_openrlhf_loads_the_file_and_calls_it_for_single_samples(openrlhf_agent: ModuleType, server: Server) -> None:
    executor = openrlhf_agent.SingleTurnAgentExecutor([path_of("openrlhf")])
    assert executor.reward_func.__name__ == "reward_func"
    pytest.importorskip("torch", reason="the file gives OpenRLHF tensors; torch is not installed")
    prompts, queries, expected = queries_of(32)

    async def rollouts() -> list[float]:
        asked = (executor._fetch_rewards_via_func([q], [p], [None]) for q, p in zip(queries, prompts, strict=True))
        return [float(answer[0]["rewards"][0]) for answer in await asyncio.gather(*asked)]

    assert asyncio.run(rollouts()) == pytest.approx(expected, abs=1e-5)
