"""Fine-tunes a published reward model on preference pairs, on one device or many.

  python -m training.train.finetune --model DIR --pairs pairs.jsonl --out DIR
  accelerate launch --num_processes 8 finetune.py --model DIR --pairs pairs.jsonl --out DIR

Loss of a pair: -log sigmoid(R(chosen) - R(rejected))
  + lm-weight x cross-entropy of the chosen conversation's tokens   keeps the backbone a language model
  + centre x (|R(chosen)| + |R(rejected)|)^2                        keeps rewards near zero
AdamW, cosine rate after a warm-up, bfloat16 where the device has it with float32 weights, gradient checkpointing.
`DIR/state` is saved every few minutes; the same command goes on from it. `DIR/model` is the result, in the form it
came in; `DIR/log.jsonl` has a line for each step and each validation.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, set_seed
from torch import Tensor

from training.train.finetune import preference_pairs, reward_checkpoint
from training.train.finetune.pair_batches import Batch, batches, collate
from training.train.finetune.preference_pairs import Pair

CLIP = 1.0
BETAS = (0.9, 0.95)


@dataclass
class Losses:
    total: Tensor
    preference: Tensor
    lm: Tensor
    centre: Tensor
    correct: Tensor
    pairs: Tensor


def losses(trainee: torch.nn.Module, batch: Batch, lm_weight: float, centre: float) -> Losses:
    """Means over the pairs that count; `correct` is how many have the chosen answer strictly higher."""
    rewards, lm = trainee(batch.ids, batch.last, batch.targets)
    chosen, rejected = rewards.chunk(2)
    count = batch.weight.sum()

    def mean(values: Tensor) -> Tensor:
        return (values * batch.weight).sum() / count.clamp(min=1)

    preference = mean(-F.logsigmoid(chosen - rejected))
    spread = mean((chosen.abs() + rejected.abs()) ** 2)
    correct = ((chosen > rejected) * batch.weight).sum()
    return Losses(preference + lm_weight * lm + centre * spread, preference, lm, spread, correct, count)


def rate(step: int, steps: int, warmup: float) -> float:
    """Share of the full learning rate: linear warm-up, then half a cosine down to nothing."""
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


class Run:
    """One training run: where it stands and how it goes on."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.out: Path = options.out
        self.checkpoint = reward_checkpoint.open_folder(options.model, options.max_tokens)
        keep_system = self.checkpoint.has_criteria
        where = dict(item.split("=", 1) for item in options.where)
        pairs = preference_pairs.read(options.pairs, where, options.negatives, options.seed, keep_system)
        if options.validation:
            self.training = pairs
            self.validation = preference_pairs.read(
                options.validation, where, options.negatives, options.seed, keep_system
            )
        else:
            self.training, self.validation = preference_pairs.split(pairs, options.validation_fraction)
        self.accelerator = self.make_accelerator()
        self.world = self.accelerator.num_processes
        per_step = options.micro_batch * self.world
        if options.batch % per_step:
            raise reward_checkpoint.UnusableCheckpoint(
                f"--batch {options.batch} is no multiple of {options.micro_batch} pairs on {self.world} processes. Change one of them."
            )
        self.rounds = options.batch // per_step
        self.per_epoch = len(self.training) // options.micro_batch // (self.rounds * self.world)
        if self.per_epoch == 0:
            raise preference_pairs.UnusablePairs(
                f"{len(self.training)} pairs fill no batch of {options.batch}. Give more, or a smaller --batch."
            )
        self.steps = options.steps or max(1, round(options.epochs * self.per_epoch))
        self.identity = {
            "data": preference_pairs.fingerprint(self.training), "model": self.checkpoint.name, "steps": self.steps,
            "world": self.world, **{k: getattr(options, k) for k in ("seed", "batch", "micro_batch", "lr", "lm_weight", "centre", "max_tokens")},
        }  # fmt: skip
        set_seed(options.seed)
        trainee = reward_checkpoint.load(self.checkpoint, options.lm_head, options.lm_weight > 0)
        if options.checkpointing:
            trainee.model.gradient_checkpointing_enable({"use_reentrant": False})
        trainee.train()
        optimizer = torch.optim.AdamW(trainee.parameters(), lr=options.lr, betas=BETAS, weight_decay=0.0)
        self.trainee, self.optimizer = self.accelerator.prepare(trainee, optimizer)
        self.step = self.resume()

    def make_accelerator(self) -> Accelerator:
        precision = self.options.precision
        if precision == "auto":
            precision = "bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "no"
        # The output layer of a base model is a buffer; it is the same everywhere and need not be sent with every step.
        settings = DistributedDataParallelKwargs(broadcast_buffers=False)
        return Accelerator(mixed_precision=precision, cpu=not torch.cuda.is_available(), kwargs_handlers=[settings])

    @property
    def main(self) -> bool:
        return self.accelerator.is_main_process

    def say(self, **values: object) -> None:
        """One line of the log, for people and programs."""
        if not self.main:
            return
        line = json.dumps(values)
        print(line, flush=True)
        with (self.out / "log.jsonl").open("a") as log:
            log.write(line + "\n")

    def resume(self) -> int:
        """Steps that are done; loads their state where there is one."""
        found = [self.out / name / "run.json" for name in ("state", "state.old")]
        state = next((path.parent for path in found if path.exists()), None)
        if state is None:
            return 0
        saved = json.loads((state / "run.json").read_text())
        step = saved.pop("step")
        if saved != self.identity:
            changed = sorted(key for key in saved if saved[key] != self.identity.get(key))
            raise reward_checkpoint.UnusableCheckpoint(
                f"{state} belongs to another run ({', '.join(changed)} differ). Give the same options, or another --out."
            )
        self.accelerator.load_state(str(state))
        return step

    def save_state(self) -> None:
        """A killed process leaves either this state or the one before, never half of one."""
        new, state, old = self.out / "state.new", self.out / "state", self.out / "state.old"
        if self.main:
            shutil.rmtree(new, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(new))
        self.accelerator.wait_for_everyone()
        if self.main:
            (new / "run.json").write_text(json.dumps({"step": self.step, **self.identity}))
            shutil.rmtree(old, ignore_errors=True)
            if state.exists():
                state.rename(old)
            new.rename(state)
            shutil.rmtree(old, ignore_errors=True)
        self.accelerator.wait_for_everyone()

    def micro_batches(self) -> Iterator[list[list[Pair]]]:
        """What this process does in each step from where the run stands."""
        step, size = self.step, self.rounds * self.world
        while True:
            epoch, index = divmod(step, self.per_epoch)
            order = batches(self.training, self.options.micro_batch, self.options.seed, epoch)
            for start in range(index * size, self.per_epoch * size, size):
                yield order[start : start + size][self.accelerator.process_index :: self.world]
                step += 1

    def train(self) -> None:
        options, started, saved = self.options, time.monotonic(), time.monotonic()
        if self.step == 0:
            self.validate()
        for parts in self.micro_batches():
            if self.step >= self.steps:
                break
            self.train_step(parts)
            if options.evaluate_every and self.step % options.evaluate_every == 0 and self.step < self.steps:
                self.validate()
            if self.agree(time.monotonic() - saved > options.save_minutes * 60):
                self.save_state()
                saved = time.monotonic()
        self.validate()
        self.finish()
        self.say(done=True, steps=self.steps, processes=self.world, seconds=round(time.monotonic() - started, 1))

    def train_step(self, parts: list[list[Pair]]) -> None:
        options = self.options
        began = time.monotonic()
        lr = options.lr * rate(self.step, self.steps, options.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        sums = torch.zeros(5, device=self.accelerator.device)
        tokens = 0
        for index, pairs in enumerate(parts):
            batch = collate(pairs, self.checkpoint.renderer, options.lm_weight > 0).to(self.accelerator.device)
            tokens += int((batch.last + 1).sum())
            # Gradients are exchanged once a step.
            with self.accelerator.no_sync(self.trainee) if index + 1 < len(parts) else contextlib.nullcontext():
                with self.accelerator.autocast():
                    found = losses(self.trainee, batch, options.lm_weight, options.centre)
                self.accelerator.backward(found.total / len(parts))
            sums += torch.stack(
                [found.preference, found.lm, found.centre, found.correct / found.pairs.clamp(min=1), found.total]
            ).detach()
        norm = self.accelerator.clip_grad_norm_(self.trainee.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        mean = self.accelerator.reduce(sums / len(parts), "mean").tolist()
        preference, lm, centre, accuracy, total = (round(value, 5) for value in mean)
        self.say(
            step=self.step, loss=total, preference=preference, lm=lm, centre=centre, accuracy=accuracy, lr=lr,
            gradient=round(float(norm), 4), tokens_per_s=round(tokens * self.world / (time.monotonic() - began)),
        )  # fmt: skip

    @torch.no_grad()
    def validate(self) -> None:
        """Share of held-out pairs with the chosen answer higher, and their loss. Every process scores its part."""
        if not self.validation:
            return
        sums = torch.zeros(3, device=self.accelerator.device)
        size = self.options.micro_batch
        parts = [self.validation[i : i + size] for i in range(0, len(self.validation), size)]
        self.trainee.eval()
        # All processes take part in each round: a sharded model is put together for every forward pass.
        for start in range(0, len(parts), self.world):
            index = start + self.accelerator.process_index
            batch = collate(parts[min(index, len(parts) - 1)], self.checkpoint.renderer, False).to(
                self.accelerator.device
            )
            with self.accelerator.autocast():
                found = losses(self.trainee, batch, 0.0, 0.0)
            if index < len(parts):
                sums += torch.stack([found.correct, found.preference * found.pairs, found.pairs])
        self.trainee.train()
        correct, preference, count = self.accelerator.reduce(sums, "sum").tolist()
        count = max(count, 1)
        self.say(
            step=self.step, validation_accuracy=round(correct / count, 4), validation_preference=round(preference / count, 5),
            validation_pairs=int(count),
        )  # fmt: skip

    def agree(self, wish: bool) -> bool:
        """The main process's decision, so that all save together whatever their clocks say."""
        return bool(
            self.accelerator.reduce(
                torch.tensor(float(wish and self.main), device=self.accelerator.device), "sum"
            ).item()
        )

    def finish(self) -> None:
        state = self.accelerator.get_state_dict(self.trainee)
        if self.main:
            weights = {
                name.removeprefix("model."): value.cpu() for name, value in state.items() if name.startswith("model.")
            }
            reward_checkpoint.save(
                self.checkpoint, self.accelerator.unwrap_model(self.trainee).model, weights, self.out / "model"
            )
        self.accelerator.wait_for_everyone()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a published checkpoint")
    parser.add_argument("--pairs", type=Path, nargs="+", required=True, help=".jsonl, .jsonl.gz or .parquet")
    parser.add_argument(
        "--validation", type=Path, nargs="+", help="pairs that are not trained on (default: a part of the problems)"
    )
    parser.add_argument("--validation-fraction", type=float, default=0.05)
    parser.add_argument("--where", nargs="*", default=[], metavar="COLUMN=VALUE", help="only rows with these values")
    parser.add_argument("--negatives", type=int, default=4, help="most pairs of one group")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--steps", type=int, help="instead of epochs")
    parser.add_argument("--batch", type=int, default=64, help="pairs of a step, on all processes together")
    parser.add_argument("--micro-batch", type=int, default=4, help="pairs that a process reads at once")
    parser.add_argument("--lr", type=float, default=1e-5)
    parser.add_argument("--warmup", type=float, default=0.05, help="share of the steps")
    parser.add_argument("--lm-weight", type=float, default=0.3)
    parser.add_argument(
        "--lm-head", type=Path, help="folder of the base model, for checkpoints without an output layer"
    )
    parser.add_argument("--centre", type=float, default=0.005)
    parser.add_argument("--max-tokens", type=int, default=2560, help="longer inputs are shortened inside the template")
    parser.add_argument("--precision", choices=("auto", "bf16", "no"), default="auto")
    parser.add_argument(
        "--no-checkpointing", dest="checkpointing", action="store_false", help="faster, needs more memory"
    )
    parser.add_argument(
        "--evaluate-every", type=int, default=0, help="steps between validations (default: first and last only)"
    )
    parser.add_argument("--save-minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if any("=" not in item for item in options.where):
        parser.error("--where takes COLUMN=VALUE.")
    return options


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        Run(options).train()
    except (reward_checkpoint.UnusableCheckpoint, preference_pairs.UnusablePairs) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
