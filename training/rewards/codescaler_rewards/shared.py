"""The gatherers of this process, made when they are first used.

Trainers hand over functions, not objects, and call them from many threads; samples can only be gathered where all calls
meet. A forked child gets its own: connections and threads do not survive a fork.
"""

from __future__ import annotations

import os
import threading

from codescaler_rewards.gatherer import Gatherer
from codescaler_rewards.reward_client import RewardClient

_gatherers: dict[tuple[int, str, str, str], Gatherer] = {}
_lock = threading.Lock()


def gatherer(url: str | None = None, token: str | None = None, model: str | None = None) -> Gatherer:
    """The gatherer of this process for these servers; what is not given comes from the environment.

    Raises ValueError when neither names a server.
    """
    key = (os.getpid(), url or "", token or "", model or "")
    with _lock:
        found = _gatherers.get(key)
        if found is None:
            found = _gatherers[key] = Gatherer(RewardClient(url, token, model))
        return found


def close() -> None:
    """Closes the gatherers of this process; the next call makes new ones."""
    with _lock:
        mine = [key for key in _gatherers if key[0] == os.getpid()]
        closing = [_gatherers.pop(key) for key in mine]
    for one in closing:
        one.close()
