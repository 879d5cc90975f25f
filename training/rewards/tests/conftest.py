"""One server for all tests of this folder, and the environment that trainers would have."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from codescaler_rewards import shared
from reward_servers import TOKEN, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    process = Server()
    os.environ["CODESCALER_URL"], os.environ["CODESCALER_TOKEN"] = process.url, TOKEN
    yield process
    shared.close()
    process.stop()
