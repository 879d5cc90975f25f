"""What trainers hand over, taken apart."""

from __future__ import annotations

import pytest

from codescaler_rewards.conversations import problem_of, reply_of, split_query

CHATML = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
LLAMA = "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"


@pytest.mark.parametrize(
    "prompt",
    [
        "<|im_start|>system\nS<|im_end|>\n" + CHATML.format("P"),
        CHATML.format("Earlier") + "A<|im_end|>\n" + CHATML.format("P"),
        LLAMA.format("P"),
        "[INST] P [/INST]",
        [{"role": "user", "content": [{"type": "text", "text": "P"}]}],
        [
            {"role": "user", "content": "Earlier"},
            {"role": "assistant", "content": "A"},
            {"role": "user", "content": "P"},
        ],
        "P",
    ],
)
def test_the_problem_is_the_last_user_turn(prompt: object) -> None:
    assert problem_of(prompt) == "P"


@pytest.mark.parametrize("prompt", [3, [], [{"role": "assistant", "content": "A"}]])
def test_a_prompt_without_a_problem_is_refused(prompt: object) -> None:
    with pytest.raises(ValueError, match="conversation with a user turn"):
        problem_of(prompt)


def test_end_tokens_and_padding_are_no_part_of_a_reply() -> None:
    assert reply_of("```\nx\n```<|im_end|>\n<|endoftext|><|endoftext|>") == "```\nx\n```"
    assert reply_of("print('<|im_end|>')") == "print('<|im_end|>')"


@pytest.mark.parametrize("prompt", [CHATML.format("P"), None])
def test_a_query_is_parted_with_and_without_its_prompt(prompt: str | None) -> None:
    assert split_query(CHATML.format("P") + "R<|im_end|>", prompt) == ("P", "R")


def test_a_query_without_chat_markup_is_parted_by_its_prompt() -> None:
    assert split_query("Q: xR", "Q: x") == ("Q: x", "R")
