"""GRPO with low-rank adapters on MBPP's training problems: rewards from our server alone, or from the tests.

  CODESCALER_URL=… CODESCALER_TOKEN=… python -m training.reinforce.grpo --model DIR --mbpp mbpp.jsonl --reward server --out RUN
  python -m training.reinforce.grpo --model DIR --mbpp mbpp.jsonl --reward tests --out OTHER

With `--reward server` no test runs in training. `RUN/adapter` is the trained adapter, `RUN/steps.jsonl` has the mean reward,
the share of valid replies and the mean length of every step, and `RUN/replies.jsonl` all replies with their rewards, so that
`training.reinforce.outcome` can say afterwards what the tests think of what the judge liked.

The defaults fit a model of some hundred million parameters on a CPU; on a GPU raise --problems-a-step, --generations and
--steps.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer

from codescaler_rewards.reward_client import INVALID
from codescaler_rewards.trl_reward import codescaler_reward
from training.data import mbpp
from training.reinforce import tasks

Reward = Callable[..., list[float]]


def text_of(completion: Any) -> str:
    """The reply of a completion, which is a conversation where the prompt is one."""
    return str(completion if isinstance(completion, str) else completion[-1]["content"])


def reward_of(kind: str, items: dict[int, mbpp.Problem], folder: Path) -> Reward:
    """The reward function of a run, which also keeps what it saw."""
    steps = (folder / "steps.jsonl").open("a", encoding="utf-8")
    kept = (folder / "replies.jsonl").open("a", encoding="utf-8")
    started = time.monotonic()
    count = 0

    def by_tests(completions: Sequence[Any], task_id: Sequence[int]) -> list[float]:
        return [tasks.verdicts(items[task], [text_of(c)])[0] for task, c in zip(task_id, completions, strict=True)]

    def reward(prompts: Sequence[Any], completions: Sequence[Any], task_id: Sequence[int], **_: Any) -> list[float]:
        nonlocal count
        if kind == "tests":
            rewards = by_tests(completions, task_id)
        else:
            rewards = codescaler_reward(prompts, completions, language=["python"] * len(completions))
        texts = [text_of(completion) for completion in completions]
        valid = [
            tasks.program(text) is not None if kind == "tests" else r > INVALID
            for text, r in zip(texts, rewards, strict=True)
        ]
        row = {
            "call": count,
            "seconds": round(time.monotonic() - started, 1),
            "reward": sum(rewards) / len(rewards),
            "valid": sum(valid) / len(valid),
            "characters": sum(map(len, texts)) / len(texts),
        }
        steps.write(json.dumps(row) + "\n")
        steps.flush()
        for task, text, value in zip(task_id, texts, rewards, strict=True):
            kept.write(json.dumps({"call": count, "task_id": task, "text": text, "reward": value}) + "\n")
        kept.flush()
        count += 1
        return rewards

    reward.__name__ = f"reward_by_{kind}"
    return reward


def settings(options: argparse.Namespace) -> GRPOConfig:
    """The trainer's settings. A batch is one optimiser step: problems × generations."""
    return GRPOConfig(
        output_dir=str(options.out / "trainer"),
        max_steps=options.steps,
        per_device_train_batch_size=options.problems_a_step * options.generations,
        num_generations=options.generations,
        max_completion_length=options.max_tokens,
        temperature=options.temperature,
        learning_rate=options.lr,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=min(5, options.steps // 4),
        beta=options.kl,
        scale_rewards="group",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        seed=options.seed,
        use_cpu=options.cpu,
        bf16=not options.cpu,
        mask_truncated_completions=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder or name of a causal language model with a chat template")
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--reward", choices=("server", "tests"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--problems-a-step", type=int, default=2)
    parser.add_argument("--generations", type=int, default=4, help="replies a problem")
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--kl", type=float, default=0.02, help="weight of the distance to the model before")
    parser.add_argument("--rank", type=int, default=16, help="of the adapters")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    items = {item.task_id: item for item in mbpp.load(options.mbpp, mbpp.TRAIN)}
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype="float32" if options.cpu else "bfloat16")
    rows = [{"prompt": tasks.prompt(item), "task_id": item.task_id} for item in items.values()]
    trainer = GRPOTrainer(
        model=model,
        processing_class=tokenizer,
        reward_funcs=reward_of(options.reward, items, options.out),
        args=settings(options),
        train_dataset=Dataset.from_list(rows).shuffle(seed=options.seed),
        peft_config=LoraConfig(
            r=options.rank, lora_alpha=2 * options.rank, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
    )
    trainer.train()
    trainer.model.save_pretrained(options.out / "adapter")
    (options.out / "options.json").write_text(
        json.dumps({k: str(v) for k, v in vars(options).items()}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
