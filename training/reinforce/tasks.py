"""What the policy is asked, and what its replies are worth to the tests."""

import re
from collections.abc import Sequence

from training.data import mbpp
from training.data.samples import INSTRUCTION, question

ONE_BLOCK = re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL)


def prompt(item: mbpp.Problem) -> list[dict[str, str]]:
    """The conversation that asks for a problem; the same in training and in the evaluation."""
    return [{"role": "user", "content": f"{question(item)}\n\n{INSTRUCTION}"}]


def program(reply: str) -> str | None:
    """The program of a reply that holds exactly one fenced block, as the reward server takes it; else None."""
    blocks = ONE_BLOCK.findall(reply)
    return blocks[0] if len(blocks) == 1 and reply.count("```") == 2 else None


def verdicts(item: mbpp.Problem, replies: Sequence[str], seconds: float = 1.0) -> list[float]:
    """1 for a reply whose program passes all tests of the problem, else 0. Equal programs run once."""
    programs = [program(reply) for reply in replies]
    unique = list(dict.fromkeys(code for code in programs if code is not None))
    counts = dict(zip(unique, mbpp.run_tests(item, unique, seconds), strict=True))
    return [float(code is not None and counts[code] == len(item.tests)) for code in programs]
