"""Writes a checkpoint as a Hugging Face folder and proves that Transformers computes the same rewards."""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from training.train.model import RewardModel, Shape
from training.train.tokenizer import SPECIAL, render

MAX_POSITIONS = 2048
SAMPLES = (
    ("Return the sum of a list.", "def total(values):\n    return sum(values)"),
    ("Write a function to find the longest word.", "def longest(words):\n    return max(words, key=len)\n"),
    ("Reverse a string in Go.", "func reverse(s string) string {\n\treturn s\n}"),
    ("", ""),
)


def config(shape: Shape) -> dict[str, object]:
    """config.json of a Qwen3ForSequenceClassification with one label."""
    return {
        "_name_or_path": "codescaler-nano",
        "architectures": ["Qwen3ForSequenceClassification"],
        "model_type": "qwen3",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": None,
        "eos_token_id": SPECIAL.index("<|im_end|>"),
        "pad_token_id": SPECIAL.index("<|endoftext|>"),
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
        "initializer_range": 0.02,
        "intermediate_size": shape.feed_forward,
        "max_position_embeddings": MAX_POSITIONS,
        "max_window_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "rms_norm_eps": shape.eps,
        "rope_scaling": None,
        "rope_theta": shape.rope_theta,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": shape.vocabulary,
    }


def check(model: RewardModel, folder: Path) -> float:
    """Largest difference between our rewards and those of Transformers, in float32."""
    theirs = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    worst = 0.0
    for problem, code in SAMPLES:
        ids = torch.tensor([tokenizer.encode(render(problem, code), add_special_tokens=False).ids])
        with torch.no_grad():
            own = model.rewards(model.model(ids))[0, -1].item()
            other = theirs(ids, attention_mask=torch.ones_like(ids)).logits[0, 0].item()
        worst = max(worst, abs(own - other))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--ngram", type=Path, help="ngram.json with its coefficient: the linear part of the reward")
    parser.add_argument(
        "--matching", type=Path, help="matching.json with its coefficient: the matching part of the reward"
    )
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    shape = Shape()
    model = RewardModel(shape)
    model.load_state_dict(torch.load(arguments.checkpoint)["model"])
    model.eval()
    tensors = {name: value.contiguous().float() for name, value in model.state_dict().items()}
    save_file(tensors, arguments.out / "model.safetensors", metadata={"format": "pt"})
    (arguments.out / "config.json").write_text(json.dumps(config(shape), indent=1))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(arguments.tokenizer / name, arguments.out / name)
    shutil.copy(arguments.calibration, arguments.out / "calibration.json")
    for name in ("ngram", "matching"):
        if getattr(arguments, name):
            shutil.copy(getattr(arguments, name), arguments.out / f"{name}.json")
    worst = check(model, arguments.out)
    print(f"{sum(t.numel() for t in tensors.values())} parameters; largest difference to Transformers {worst:.2e}")
    if worst > 1e-4:
        raise SystemExit("The exported folder does not compute the same rewards.")


if __name__ == "__main__":
    main()
