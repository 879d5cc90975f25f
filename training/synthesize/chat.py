"""One chat completion from any server that speaks OpenAI's API."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

SECONDS = 600
"""How long one reply may take: a CPU under load decodes some tokens a second."""
ATTEMPTS = 4
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


class ChatUnavailable(Exception):
    """The server gives no reply; the message is a sentence for people."""


@dataclass(frozen=True)
class ChatModel:
    """A model behind a base URL such as http://127.0.0.1:8080/v1."""

    url: str
    model: str
    key: str = ""
    max_tokens: int = 400

    def ask(self, prompt: str, temperature: float, seed: int) -> str:
        """The reply to one user turn. Asks again when the server is busy. Raises ChatUnavailable."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": temperature,
            "max_tokens": self.max_tokens,
            "seed": seed,
        }
        address = f"{self.url.rstrip('/')}/chat/completions"
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.key}"} if self.key else {})}
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt > 0:
                time.sleep(2**attempt)
            try:
                request = urllib.request.Request(address, json.dumps(body).encode(), headers)
                with urllib.request.urlopen(request, timeout=SECONDS) as response:
                    return str(json.load(response)["choices"][0]["message"]["content"] or "")
            except urllib.error.HTTPError as refused:
                said = " ".join(refused.read(300).decode(errors="replace").split())
                problem = f"{address} answered {refused.code}: {said}"
                if refused.code not in TRANSIENT:
                    break
            except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
                problem = f"{address} gives no chat completion ({error or type(error).__name__})"
        raise ChatUnavailable(f"{problem}. Is the server running, and does --help name the right option for it?")
