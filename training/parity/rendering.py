"""Reference for the rules of docs/rendering.md: how a conversation becomes token ids. Independent of the TypeScript side.

1. Contents are data. Whatever in a content spells an added token is replaced by a private-use character while the
   template runs and restored afterwards. The rendered text is then cut at the added tokens of the template itself;
   what stands between them is normalised and encoded as ordinary text. Nothing adds BOS or EOS.
2. An input of more than `limit` tokens loses tokens from the end of the last user turn and of the last assistant
   turn; the template's own tokens all stay.
3. Dates are fixed.
"""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from typing import Any

import jinja2
import jinja2.ext
import jinja2.sandbox
from tokenizers import Tokenizer

# Both are the default of Llama 3.1's template and what strftime_now answers, whatever the format asks for the day.
FIXED_DATE = (2024, 7, 26)
# Less room than this for problem and code together cannot be judged.
MINIMUM_ROOM = 16


class TooLong(Exception):
    """The input cannot be shortened under the rules."""


def well_formed(text: str) -> str:
    """Lone surrogates become U+FFFD each, as String.prototype.toWellFormed does."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def strftime_now(pattern: str) -> str:
    """The fixed date in the few directives that chat templates use."""
    return datetime.datetime(*FIXED_DATE).strftime(pattern)


@dataclass(frozen=True)
class Rendered:
    text: str
    ids: list[int]
    truncated: bool


class Renderer:
    """Renders conversations with one model's template and tokenizer."""

    def __init__(self, template: str, tokenizer_json: dict[str, Any], variables: dict[str, str], limit: int) -> None:
        self.limit = limit
        self.variables = variables
        self.added = {token["content"]: token["id"] for token in tokenizer_json["added_tokens"]}
        # Longest first: where two spellings start at the same place, the longer one is meant.
        spellings = sorted(self.added, key=len, reverse=True)
        self.spelling = re.compile("|".join(re.escape(text) for text in spellings))
        # Without its added tokens the tokenizer can only see ordinary text.
        self.ordinary = Tokenizer.from_str(json.dumps({**tokenizer_json, "added_tokens": [], "post_processor": None}))
        # The settings with which transformers compiles chat templates.
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
        )
        environment.globals["strftime_now"] = strftime_now
        self.template = environment.from_string(template)

    def _apply(self, messages: list[dict[str, Any]]) -> str:
        return self.template.render(
            messages=messages, tools=None, documents=None, add_generation_prompt=False, **self.variables
        )

    def _masked(self, messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
        used = set("".join(message["content"] for message in messages))
        free = (chr(code) for code in range(0xF0000, 0xFFFFD) if chr(code) not in used)
        placeholder: dict[str, str] = {}

        def hide(match: re.Match[str]) -> str:
            if match[0] not in placeholder:
                placeholder[match[0]] = next(free)
            return placeholder[match[0]]

        hidden = [{**message, "content": self.spelling.sub(hide, message["content"])} for message in messages]
        return hidden, {character: text for text, character in placeholder.items()}

    def _split(self, text: str) -> list[str | int]:
        """Fragments of text (also empty ones) and, between them, the added tokens: text, id, text, id, …, text."""
        parts: list[str | int] = []
        position = 0
        for match in self.spelling.finditer(text):
            parts += [text[position : match.start()], self.added[match[0]]]
            position = match.end()
        return [*parts, text[position:]]

    def _turns(self, messages: list[dict[str, Any]], numbers: list[int]) -> dict[str, int]:
        """Index of the fragment that holds the last user turn and the last assistant turn.

        Found by rendering stand-ins; `numbers` are the template's own tokens, which must come out the same.
        """
        found: dict[str, int] = {}
        for role in ("user", "assistant"):
            last = max((i for i, message in enumerate(messages) if message["role"] == role), default=None)
            if last is None or messages[last]["content"] == "":
                continue
            probe = [
                {**message, "content": ("\U000fff00" if i == last else "x") if message["content"] else ""}
                for i, message in enumerate(messages)
            ]
            parts = self._split(self._apply(probe))
            if [part for part in parts if isinstance(part, int)] != numbers:
                raise TooLong("the template's own tokens depend on the contents")
            places = [i for i, part in enumerate(parts) if isinstance(part, str) and "\U000fff00" in part]
            if len(places) != 1:
                raise TooLong(f"the {role} turn is not in one place")
            if not str(parts[places[0]]).endswith("\U000fff00") or places[0] + 1 >= len(parts):
                raise TooLong(f"no added token closes the {role} turn")
            found[role] = places[0]
        if found.get("user") is not None and found.get("user") == found.get("assistant"):
            raise TooLong("no added token stands between problem and code")
        return found

    def render(self, messages: list[dict[str, Any]]) -> Rendered:
        messages = [{**message, "content": well_formed(message["content"])} for message in messages]
        hidden, shown = self._masked(messages)
        restore = re.compile("[" + "".join(shown) + "]") if shown else None

        def unmask(text: str) -> str:
            return restore.sub(lambda match: shown[match[0]], text) if restore else text

        parts = [part if isinstance(part, int) else unmask(part) for part in self._split(self._apply(hidden))]
        spelling_of = {number: text for text, number in self.added.items()}
        text = "".join(spelling_of[part] if isinstance(part, int) else part for part in parts)
        ids = [
            [part] if isinstance(part, int) else self.ordinary.encode(part, add_special_tokens=False).ids
            for part in parts
        ]
        total = sum(map(len, ids))
        truncated = total > self.limit
        if truncated:
            turns = self._turns(messages, [part for part in parts if isinstance(part, int)])
            problem, code = turns.get("user"), turns.get("assistant")
            p = len(ids[problem]) if problem is not None else 0
            c = len(ids[code]) if code is not None else 0
            room = self.limit - (total - p - c)
            if room < MINIMUM_ROOM:
                raise TooLong(f"only {room} tokens are left for problem and code")
            kept_code = min(c, max(room - p, 3 * room // 4))
            kept_problem = min(p, room - kept_code)
            if problem is not None:
                ids[problem] = ids[problem][:kept_problem]
            if code is not None:
                ids[code] = ids[code][:kept_code]
        return Rendered(text, [number for part in ids for number in part], truncated)
