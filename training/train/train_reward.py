"""Stage two: Bradley–Terry on preference groups, with the language-model loss as a regulariser.

Loss of a group with right program c and wrong programs r:
  mean −log σ(R(c) − R(r) + W · (L(c) − L(r)))        at the last token
  + DENSE · mean −log σ(R(c[:k]) − R(r[:k]))          at every depth k after they part, the first weighted most
  + LM · cross-entropy of the right program's tokens
  + CENTRE · (R(c) + R(r))²                           keeps rewards around zero
L is the n-gram term's reward where the groups carry one (`crossfit.py`; else 0) and W its learnt weight:
the transformer is trained on what the n-grams do not say already, since their sum is what ships.
Resumes from `reward.pt`, or from `reward-stable.pt` (before the decay) where `--steps` was raised.
`--branch` takes such a checkpoint of another folder: that is how several seeds of the decay share what comes before it.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from training.data import json_lines
from training.train import optim, packing
from training.train.model import RewardModel, Shape
from training.train.tokenizer import render

ROWS = 8
LM_TOKENS = ROWS * packing.ROW // 2
DENSE, LM, CENTRE = 1.0, 0.3, 0.005
SHARE = 0.7
"""Weight of the n-gram term to begin with."""
SAVE_SECONDS = 120


def load_groups(paths: list[Path], repeats: list[int], tokenizer: Tokenizer) -> list[packing.Group]:
    """Groups of all files as token ids; a file may count several times."""
    found: list[packing.Group] = []
    for path, times in zip(paths, repeats, strict=True):
        rows = list(json_lines.read(path))
        for start in range(0, len(rows), 2000):
            part = rows[start : start + 2000]
            texts = [
                render(row["problem"], code)
                for row in part
                for code in (row["chosen"], *(r["code"] for r in row["rejected"]))
            ]
            encoded = iter(tokenizer.encode_batch(texts, add_special_tokens=False))
            for row in part:
                ids = [np.array(next(encoded).ids, np.int32) for _ in range(1 + len(row["rejected"]))]
                linear = row.get("linear", [0.0] * len(ids))
                found += [packing.Group(ids[0], ids[1:], [linear[0] - other for other in linear[1:]])] * times
    return found


def batches(groups: list[packing.Group], seed: int, epoch: int) -> list[list[list[packing.Group]]]:
    """An epoch's rows in batches of ROWS; wrong programs are shuffled, so that what is cut off varies."""
    rng = random.Random(f"{seed}:{epoch}")
    shuffled = []
    for group in groups:
        order = rng.sample(range(len(group.rejected)), len(group.rejected))
        shuffled.append(
            packing.Group(group.chosen, [group.rejected[i] for i in order], [group.ahead[i] for i in order])
        )
    rng.shuffle(shuffled)
    packed = list(packing.rows(shuffled))
    rng.shuffle(packed)
    return [packed[i : i + ROWS] for i in range(0, len(packed) - ROWS + 1, ROWS)]


def tensors(batch: list[list[packing.Group]], rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """Arrays of one batch with fixed shapes, flat indices into [ROWS · ROW]."""
    rows = [packing.pack(groups) for groups in batch]
    stack = {name: np.stack([getattr(row, name) for row in rows]) for name in packing.Row.__dataclass_fields__}
    offset = (np.arange(ROWS) * packing.ROW)[:, None]
    partner = np.where(stack["partner"] >= 0, stack["partner"] + offset, -1).ravel()
    targets = stack["targets"].ravel()
    usable = rng.permutation(np.nonzero(targets >= 0)[0])[:LM_TOKENS]
    chosen = np.zeros(LM_TOKENS, np.int64)
    chosen[: len(usable)] = usable
    wanted = np.full(LM_TOKENS, -100)
    wanted[: len(usable)] = targets[usable]
    arrays = (
        stack["ids"],
        stack["positions"],
        packing.mask(stack["start"], stack["base"], stack["shared"])[:, None],
        partner,
        stack["heed"].ravel(),
        chosen,
        wanted,
        (stack["good"] + offset).ravel(),
        (stack["bad"] + offset).ravel(),
        stack["weight"].ravel(),
        stack["ahead"].ravel(),
    )
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


def losses(
    model: RewardModel,
    share: torch.Tensor,
    ids: torch.Tensor,
    positions: torch.Tensor,
    mask: torch.Tensor,
    partner: torch.Tensor,
    heed: torch.Tensor,
    chosen: torch.Tensor,
    wanted: torch.Tensor,
    good: torch.Tensor,
    bad: torch.Tensor,
    weight: torch.Tensor,
    ahead: torch.Tensor,
) -> torch.Tensor:
    """[4]: Bradley–Terry, dense, language model, centring; then the shares of pairs that the transformer and the sum order rightly."""
    with optim.autocast():
        hidden = model.model(ids, positions, mask).flatten(0, 1)
        tokens = model.token_loss(hidden[chosen], wanted)
    rewards = model.rewards(hidden)
    r_good, r_bad = rewards[good], rewards[bad]
    total = weight.sum()
    lead = r_good - r_bad + share * ahead
    final = -(F.logsigmoid(lead) * weight).sum() / total
    dense = -(F.logsigmoid(rewards[partner.clamp(min=0)] - rewards) * heed).sum() / heed.sum()
    centre = ((r_good + r_bad).square() * weight).sum() / total
    right, right_sum = (((difference > 0).float() * weight).sum() / total for difference in (r_good - r_bad, lead))
    return torch.stack((final, dense, tokens, centre, right, right_sum))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, nargs="+", required=True)
    parser.add_argument("--repeats", type=int, nargs="+", required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="checkpoint of stage one")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--branch", type=Path, help="checkpoint of this stage to go on from, optimisers included")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument(
        "--decay-steps", type=int, help="last steps, in which the rate falls to nearly nothing; default two fifths"
    )
    parser.add_argument("--rate", type=float, default=0.02, help="of the matrices; everything else gets a tenth")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    optim.use_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    groups = load_groups(arguments.groups, arguments.repeats, tokenizer)
    model = RewardModel(Shape())
    model.load_state_dict(torch.load(arguments.start)["model"])
    share = torch.nn.Parameter(torch.tensor(SHARE))
    found = optim.optimisers(model, arguments.rate, arguments.rate / 10)
    found[1].add_param_group({"params": [share]})
    step, last, stable = 0, arguments.out / "reward.pt", arguments.out / "reward-stable.pt"
    source = last if last.exists() else arguments.branch
    if source is not None:
        state = torch.load(source)
        if state["steps"] < arguments.steps and stable.exists():
            state = torch.load(stable)
        model.load_state_dict(state["model"])
        for optimiser, saved in zip(found, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        optim.set_base(found, arguments.rate, arguments.rate / 10)
        share.data.fill_(state["share"])
        step = int(state["step"])
    decay = 0.4 if arguments.decay_steps is None else arguments.decay_steps / arguments.steps
    weights = torch.tensor([1.0, DENSE, LM, CENTRE, 0.0, 0.0])
    compiled = torch.compile(losses)
    print(f"{len(groups)} groups", flush=True)
    saved_at = shown_at = time.time()
    epoch, seen, shown, total = 0, 0, step, torch.zeros(6)
    while step < arguments.steps:
        epoch_batches = batches(groups, arguments.seed, epoch)
        epoch += 1
        for batch in epoch_batches:
            seen += 1
            if seen <= step or step >= arguments.steps:
                continue  # already done before a resume
            factor = optim.rate(step, arguments.steps, decay=decay)
            optim.set_rate(found, factor)
            parts = compiled(model, share, *tensors(batch, np.random.default_rng((arguments.seed, step))))
            (parts * weights).sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimiser in found:
                optimiser.step()
                optimiser.zero_grad(set_to_none=False)
            step += 1
            total += parts.detach()
            if step % 20 == 0:
                figures = " ".join(
                    f"{name} {value:.3f}"
                    for name, value in zip(
                        ("pair", "dense", "lm", "centre", "right", "sum"),
                        (total / (step - shown)).tolist(),
                        strict=True,
                    )
                )
                print(
                    f"step {step} epoch {epoch} {figures} share {share.item():.2f} {(time.time() - shown_at) / (step - shown):.2f} s/step",
                    flush=True,
                )
                shown_at, shown, total = time.time(), step, torch.zeros(6)
            if time.time() - saved_at > SAVE_SECONDS or step == arguments.steps:
                saved_at = time.time()
                state = {
                    "model": model.state_dict(),
                    "optimisers": [o.state_dict() for o in found],
                    "share": share.item(),
                    "step": step,
                    "steps": arguments.steps,
                }
                optim.save(last, state)
                if factor == 1.0:
                    optim.save(stable, state)


if __name__ == "__main__":
    main()
