"""What trainers hand over, as the problem and the reply that a reward model reads: no chat markup, no end tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A user's turn in the templates of Qwen (ChatML), Llama 3 and Mistral. The last one is the problem.
USER_TURNS = (
    re.compile(r"<\|im_start\|>user\n(.*?)<\|im_end\|>", re.DOTALL),
    re.compile(r"<\|start_header_id\|>user<\|end_header_id\|>\n\n(.*?)<\|eot_id\|>", re.DOTALL),
    re.compile(r"\[INST\]\s*(.*?)\s*\[/INST\]", re.DOTALL),
)
ASSISTANT = re.compile(r"<\|im_start\|>assistant\n|<\|start_header_id\|>assistant<\|end_header_id\|>\n\n|\[/INST\]")
# What models end with and trainers pad with.
END = re.compile(
    r"(?:\s*(?:<\|im_end\|>|<\|endoftext\|>|<\|eot_id\|>|<\|end_of_text\|>|<\|eom_id\|>|<pad>|\[PAD\]|</s>))+\s*\Z"
)


def problem_of(prompt: object) -> str:
    """The problem in a prompt: the last user turn of a conversation or of a rendered chat, else the text itself."""
    if isinstance(prompt, str):
        for pattern in USER_TURNS:
            turns: list[str] = pattern.findall(prompt)
            if turns:
                return turns[-1]
        return prompt
    # A column of a Parquet file gives conversations as arrays.
    if hasattr(prompt, "tolist"):
        prompt = prompt.tolist()
    if isinstance(prompt, Sequence):
        for turn in reversed(prompt):
            if isinstance(turn, dict) and turn.get("role") == "user":
                return text_of(turn.get("content"))
    raise ValueError("A prompt must be a text, or a conversation with a user turn.")


def reply_of(completion: object) -> str:
    """The text of a completion: a string, or a conversation whose last turn is the assistant's."""
    if isinstance(completion, str):
        return END.sub("", completion)
    if isinstance(completion, Sequence) and completion and isinstance(completion[-1], dict):
        return END.sub("", text_of(completion[-1].get("content")))
    raise ValueError("A completion must be a text, or a conversation that ends with the assistant's turn.")


def text_of(content: object) -> str:
    """The text of a turn; of content in parts, the parts that are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return ""


def split_query(query: str, prompt: str | None) -> tuple[str, str]:
    """(problem, reply) of a prompt with its reply in one text, as OpenRLHF sends it.

    With the prompt beside it, the reply is what follows it. Without, or where decoding has changed it, the reply begins
    after the last mark of the assistant's turn; a text without such a mark is all reply.
    """
    if prompt is not None and query.startswith(prompt):
        return problem_of(prompt), reply_of(query[len(prompt) :])
    marks = list(ASSISTANT.finditer(query))
    if marks:
        return problem_of(query[: marks[-1].end()] if prompt is None else prompt), reply_of(query[marks[-1].end() :])
    return ("" if prompt is None else problem_of(prompt)), reply_of(query)
