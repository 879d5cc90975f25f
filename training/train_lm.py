"""Stage one: next-token prediction on problems and programs in the form of the reward input.

Resumes by itself from `lm.pt` in the output folder. The learning rate is
constant up to the last quarter, so `--steps` may be raised later: the run then
goes on from `lm-stable.pt`, the checkpoint before the decay.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

import optim
from model import RewardModel, Shape

ROW = 512
ROWS = 8
SAVE_SECONDS = 240


def batch(ids: np.ndarray, step: int, seed: int) -> torch.Tensor:
    """Rows of ROW + 1 ids; every epoch is a new order at a new offset."""
    rows = (len(ids) - ROW - 1) // ROW
    epoch, place = divmod(step * ROWS, rows - rows % ROWS)
    rng = np.random.default_rng((seed, epoch))
    offset = int(rng.integers(ROW))
    order = rng.permutation(rows)[place : place + ROWS]
    return torch.from_numpy(np.stack([ids[offset + row * ROW : offset + row * ROW + ROW + 1] for row in order]).astype(np.int64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
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
    source = last if last.exists() else stable
    if source.exists():
        state = torch.load(source)
        if state["steps"] < arguments.steps and stable.exists():
            state = torch.load(stable)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(found, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        step = int(state["step"])

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model.model(rows[:, :-1])
            return model.token_loss(hidden.flatten(0, 1), rows[:, 1:].flatten())

    compiled = torch.compile(loss_of)
    saved_at = shown_at = time.time()
    shown_step, total = step, 0.0
    while step < arguments.steps:
        factor = optim.rate(step, arguments.steps)
        optim.set_rate(found, factor)
        loss = compiled(batch(ids, step, arguments.seed))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in found:
            optimiser.step()
            optimiser.zero_grad(set_to_none=False)
        step += 1
        total += loss.detach().item()
        if step % 20 == 0:
            speed = (step - shown_step) * ROW * ROWS / (time.time() - shown_at)
            print(f"step {step} loss {total / (step - shown_step):.3f} rate {factor:.2f} {speed:.0f} tokens/s", flush=True)
            shown_at, shown_step, total = time.time(), step, 0.0
        if time.time() - saved_at > SAVE_SECONDS or step == arguments.steps:
            saved_at = time.time()
            state = {"model": model.state_dict(), "optimisers": [o.state_dict() for o in found], "step": step, "steps": arguments.steps}
            optim.save(last, state)
            if factor == 1.0:
                optim.save(stable, state)


if __name__ == "__main__":
    main()
