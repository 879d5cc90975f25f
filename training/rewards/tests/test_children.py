"""What trainers do with the functions beyond calling them: they pickle them and start child processes.

The real packages of the trainers lie in folders named by CODESCALER_TRAINERS (`npm test` puts them there, without
their dependencies); they are searched last, as site-packages is.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from codescaler_rewards import trl_reward, verl_reward

TRAINERS = [Path(path) for path in os.environ.get("CODESCALER_TRAINERS", "").split(os.pathsep) if path]


@pytest.fixture(params=TRAINERS, ids=lambda path: path.name)
def trainer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one release of one trainer, on the path of this process and its children."""
    folder: Path = request.param
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


def origin(name: str) -> str | None:
    """Where a child process would import a package from."""
    spec = importlib.util.find_spec(name)
    return None if spec is None else spec.origin


def loaded_by_path(module: str) -> ModuleType:
    """A reward file as trainers load it: by the path that `codescaler-rewards path` prints."""
    command = [sys.executable, "-m", "codescaler_rewards", "path", module]
    path = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    spec = importlib.util.spec_from_file_location("reward_func", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_a_child_imports_the_real_trainer_after_our_file_was_loaded(trainer: Path) -> None:
    name = trainer.name.split("-")[0]
    before = list(sys.path)
    loaded_by_path(name)
    assert sys.path == before
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(origin, (name,)) == str(trainer / name / "__init__.py")


def test_no_module_of_ours_takes_a_name_that_users_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("client", "conversations", "shared"):
        (tmp_path / f"{name}.py").write_text("")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    loaded_by_path("openrlhf")
    for name in ("client", "conversations", "shared"):
        assert origin(name) == str(tmp_path / f"{name}.py")


def test_functions_are_pickled_by_name() -> None:
    for function in (verl_reward.compute_score, verl_reward.compute_score_async, trl_reward.codescaler_reward):
        assert pickle.loads(pickle.dumps(function)) is function


def test_a_function_of_a_file_is_pickled_by_value_as_ray_does() -> None:
    cloudpickle = pytest.importorskip("cloudpickle", reason="Ray's pickling is not installed")
    function = loaded_by_path("verl").compute_score
    copy = cloudpickle.loads(cloudpickle.dumps(function))
    with pytest.raises(ValueError, match="extra_info must hold the problem"):
        copy("d", "text", None, {}, url="http://127.0.0.1:1")


def score_in_child(url: str, token: str) -> float:
    text = "```python\nx = 1\n```"
    return verl_reward.compute_score("d", text, None, {"problem": "Set x."}, url=url, token=token)


def test_a_forked_child_asks_through_connections_of_its_own(server: object) -> None:
    url, token = os.environ["CODESCALER_URL"], os.environ["CODESCALER_TOKEN"]
    here = score_in_child(url, token)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(score_in_child, (url, token)) == pytest.approx(here, abs=1e-5)
