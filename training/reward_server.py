"""Rankings from a codescaler server, for the scripts of this folder; trainers use codescaler_rewards."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

SECONDS = 600


class ServerRefused(Exception):
    """The reward server gives no ranking; the message is a sentence for people."""


@dataclass(frozen=True)
class RewardModel:
    """A codescaler server and, where it has several, the model that judges."""

    url: str
    token: str
    model: str = ""

    def rank(self, problem: str, replies: list[str], language: str) -> dict[str, Any]:
        """The reply of `POST /v1/rank` about replies to a problem. Raises ServerRefused."""
        return self.rank_task({"question": problem}, [{"text": text} for text in replies], language)

    def rank_task(self, task: dict[str, Any], samples: list[dict[str, Any]], language: str) -> dict[str, Any]:
        """The same for any task of the contract; a sample has "text" and may have "logprobs". Raises ServerRefused."""
        candidates: list[dict[str, Any]] = [
            {key: sample[key] for key in ("text", "logprobs") if key in sample} for sample in samples
        ]
        for place, candidate in enumerate(candidates):
            candidate["id"] = str(place)
        body: dict[str, Any] = {
            "task": {**task, "language": language},
            "candidates": candidates,
            "priority": "bulk",
            **({"model": self.model} if self.model else {}),
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url.rstrip('/')}/v1/rank", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                found: dict[str, Any] = json.load(response)
                return found
        except urllib.error.HTTPError as refused:
            raise ServerRefused(f"{self.url} answered {refused.code}: {sentence_of(refused.read(2000))}") from None
        except (OSError, ValueError) as error:
            raise ServerRefused(f"{self.url} does not answer ({error}). Start it with codescaler serve.") from None


def sentence_of(body: bytes) -> str:
    """The sentence of our server's error, or what something else answered."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return " ".join(body[:200].decode(errors="replace").split()) or "nothing"
