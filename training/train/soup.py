"""Averages the weights of several runs that share their beginning: usually better than any of them, at no cost at run time."""

import argparse
from pathlib import Path

import torch

from training.train import optim


def average(states: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Mean of each parameter."""
    return {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    optim.save(arguments.out, {"model": average([torch.load(path)["model"] for path in arguments.checkpoints])})


if __name__ == "__main__":
    main()
