"""The distribution as pip installs it from its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]


def test_pip_installs_the_folder_and_the_command_works_from_anywhere(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(FOLDER)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    command = [sys.executable, "-m", "codescaler_rewards"]
    for trainer in ("openrlhf", "verl", "trl"):
        path = subprocess.run(
            [*command, "path", trainer], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
        ).stdout.strip()
        assert Path(path).is_file()
        assert Path(path).is_relative_to(target)
    environment.pop("CODESCALER_URL", None)
    refused = subprocess.run([*command, "serve"], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert refused.returncode == 1
    assert refused.stderr == "No reward server is given. Set CODESCALER_URL, for example to http://127.0.0.1:8123.\n"
