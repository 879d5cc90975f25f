"""Stage one: next-token prediction on problems and programs in the form of the reward input.

Resumes by itself from `lm.pt` in the output folder. The learning rate is
constant up to the last quarter, so `--steps` may be raised later: the run then
goes on from `lm-stable.pt`, the checkpoint before the decay. `--start` begins
with the weights of another checkpoint (`warm_start.py`) instead of random ones.

One row in eight is a passage of shuffled tokens said over and over, of which only
the repetitions count: nothing but copying helps there, and copying from the
problem into the program is what so small a model otherwise learns last.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from training.train import optim
from training.train.model import RewardModel, Shape

ROW = 512
ROWS = 8
SAVE_SECONDS = 240
COPY_ROWS = 1
"""Rows of a batch that train copying."""
PASSAGE = (8, 128)
"""Lengths of the passage that is repeated."""
IGNORED = -100


def repeated(row: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(ids, targets) of a row that says one shuffled passage of the given row again and again."""
    length = int(rng.integers(*PASSAGE))
    passage = rng.permutation(row)[:length]
    ids = np.resize(passage, ROW + 1)
    targets = ids[1:].copy()
    targets[: length - 1] = IGNORED
    return ids[:-1], targets


def batch(ids: np.ndarray, step: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, next ids), each [ROWS, ROW]; every epoch is a new order at a new offset."""
    rows = (len(ids) - ROW - 1) // ROW
    epoch, place = divmod(step * ROWS, rows - rows % ROWS)
    rng = np.random.default_rng((seed, epoch))
    offset = int(rng.integers(ROW))
    order = rng.permutation(rows)[place : place + ROWS]
    text = np.stack([ids[offset + row * ROW : offset + row * ROW + ROW + 1] for row in order]).astype(np.int64)
    inputs, targets = text[:, :-1].copy(), text[:, 1:].copy()
    own = np.random.default_rng((seed, step, 1))
    for row in range(ROWS - COPY_ROWS, ROWS):
        inputs[row], targets[row] = repeated(text[row], own)
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="checkpoint whose weights to begin with")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--decay", type=float, default=0.25, help="last part of the steps, in which the rate falls")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    optim.use_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    ids = np.load(arguments.data, mmap_mode="r")
    model = RewardModel(Shape())
    found = optim.optimisers(model, 0.02, 3e-3)
    last, stable = arguments.out / "lm.pt", arguments.out / "lm-stable.pt"
    step = 0
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start)["model"])
    source = last if last.exists() else stable
    if source.exists():
        state = torch.load(source)
        if state["steps"] < arguments.steps and stable.exists():
            state = torch.load(stable)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(found, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        step = int(state["step"])

    def losses_of(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """[2]: mean cross-entropy of text, and of repetitions."""
        with optim.autocast():
            hidden = model.model(inputs)
            each = model.token_losses(hidden.flatten(0, 1), targets.flatten()).view(ROWS, ROW)
        text, copies = each[:-COPY_ROWS], each[-COPY_ROWS:]
        return torch.stack((text.mean(), copies.sum() / (targets[-COPY_ROWS:] != IGNORED).sum()))

    compiled = torch.compile(losses_of)
    share = torch.tensor([1 - COPY_ROWS / ROWS, COPY_ROWS / ROWS])
    saved_at = shown_at = time.time()
    shown_step, total = step, torch.zeros(2)
    while step < arguments.steps:
        factor = optim.rate(step, arguments.steps, decay=arguments.decay)
        optim.set_rate(found, factor)
        losses = compiled(*batch(ids, step, arguments.seed))
        (losses * share).sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in found:
            optimiser.step()
            optimiser.zero_grad(set_to_none=False)
        step += 1
        total += losses.detach()
        if step % 20 == 0:
            text, copies = (total / (step - shown_step)).tolist()
            speed = (step - shown_step) * ROW * ROWS / (time.time() - shown_at)
            print(f"step {step} loss {text:.3f} copies {copies:.3f} rate {factor:.2f} {speed:.0f} tokens/s", flush=True)
            shown_at, shown_step, total = time.time(), step, torch.zeros(2)
        if time.time() - saved_at > SAVE_SECONDS or step == arguments.steps:
            saved_at = time.time()
            state = {
                "model": model.state_dict(),
                "optimisers": [o.state_dict() for o in found],
                "step": step,
                "steps": arguments.steps,
            }
            optim.save(last, state)
            if factor == 1.0:
                optim.save(stable, state)
    if not last.exists():  # no step was asked for: the next stage goes on from the start
        optim.save(
            last, {"model": model.state_dict(), "optimisers": [o.state_dict() for o in found], "step": 0, "steps": 0}
        )


if __name__ == "__main__":
    main()
