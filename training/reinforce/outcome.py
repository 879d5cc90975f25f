"""What came of runs of `training.reinforce.grpo`: pass@1 on held-out problems, and what the tests think of the rewards.

  python -m training.reinforce.outcome --model DIR --mbpp mbpp.jsonl --runs RUN OTHER --problems 100 --out outcome.json

The model without training and with each run's adapter writes `--samples` replies to each of MBPP's test problems; pass@1 is
the share that passes all tests, its interval (95 %) comes from resampling problems, and differences to the untrained model
are paired by problem. For the replies of the training itself the tests run now: the last column shows whether what the
judge came to like more is also right more often.
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from training.data import json_lines, mbpp
from training.evaluate.correlation import auc, interval
from training.reinforce import tasks

Shares = list[tuple[float, float]]
"""Of each problem: share of replies that pass, share that hold exactly one block."""


def replies(
    model: Any, tokenizer: Any, item: mbpp.Problem, samples: int, max_tokens: int, temperature: float
) -> list[str]:
    """Sampled replies to one problem."""
    import torch

    inputs = tokenizer.apply_chat_template(
        tasks.prompt(item), add_generation_prompt=True, return_tensors="pt", return_dict=True
    ).to(model.device)
    with torch.no_grad():
        made = model.generate(
            **inputs, do_sample=True, temperature=temperature, top_p=1.0, top_k=0, max_new_tokens=max_tokens,
            num_return_sequences=samples, pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
        )  # fmt: skip
    start = inputs["input_ids"].shape[1]
    return [str(text) for text in tokenizer.batch_decode(made[:, start:], skip_special_tokens=True)]


def shares_of(item: mbpp.Problem, texts: list[str]) -> tuple[float, float]:
    """(share that passes, share with exactly one block)."""
    passed = tasks.verdicts(item, texts)
    valid = [tasks.program(text) is not None for text in texts]
    return sum(passed) / len(texts), sum(valid) / len(texts)


def summary(shares: Shares, base: Shares | None) -> dict[str, Any]:
    """pass@1 and valid share with intervals, and the paired difference of pass@1 to the untrained model."""
    passed, valid = [p for p, _ in shares], [v for _, v in shares]
    figures: dict[str, Any] = {
        "problems": len(shares),
        "pass@1": float(np.mean(passed)),
        "interval": interval(passed),
        "valid": float(np.mean(valid)),
        "valid_interval": interval(valid),
    }
    if base is not None:
        gained = [own - before for own, (before, _) in zip(passed, (b for b in base), strict=True)]
        figures |= {"gain": float(np.mean(gained)), "gain_interval": interval(gained)}
    return figures


def training_of(run: Path, items: dict[int, mbpp.Problem], parts: int = 4) -> list[dict[str, float]]:
    """The run's own replies in `parts` of equal length: mean reward, and what the tests say of them now."""
    rows = list(json_lines.read(run / "replies.jsonl"))
    for row in rows:
        row["passed"] = tasks.verdicts(items[row["task_id"]], [row["text"]])[0]
    found = []
    for part in np.array_split(np.arange(len(rows)), parts):
        own = [rows[place] for place in part]
        passed = np.array([row["passed"] > 0 for row in own])
        rewards = np.array([row["reward"] for row in own])
        figures = {"reward": float(rewards.mean()), "passed": float(passed.mean())}
        if 0 < passed.sum() < len(own):
            figures["auc"] = auc(rewards, passed)
        found.append(figures)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--runs", type=Path, nargs="*", default=[])
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    items = mbpp.load(options.mbpp, mbpp.TEST)
    random.Random(options.seed).shuffle(items)
    items = items[: options.problems]
    training_items = {item.task_id: item for item in mbpp.load(options.mbpp, mbpp.TRAIN)}
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    results: dict[str, Any] = {}
    base: Shares | None = None
    for run in [None, *options.runs]:
        model = AutoModelForCausalLM.from_pretrained(options.model, dtype="float32" if options.cpu else "bfloat16")
        if run is not None:
            model = PeftModel.from_pretrained(model, str(run / "adapter"))
        model = model.eval() if options.cpu else model.eval().cuda()
        torch.manual_seed(options.seed)
        shares = []
        for place, item in enumerate(items, 1):
            texts = replies(model, tokenizer, item, options.samples, options.max_tokens, options.temperature)
            shares.append(shares_of(item, texts))
            print(f"{run or 'untrained'}: {place} of {len(items)}", flush=True)
        name = "untrained" if run is None else run.name
        results[name] = summary(shares, base)
        if run is None:
            base = shares
        else:
            results[name]["training"] = training_of(run, training_items)
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
