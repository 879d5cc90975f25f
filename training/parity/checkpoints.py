"""Tiny random checkpoints of every model class, as folders like the published ones."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import (
    LlamaConfig,
    LlamaForSequenceClassification,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForSequenceClassification,
)

HIDDEN = 64
HEADS = 4
KV_HEADS = 2
INTERMEDIATE = 112
# Not hidden ÷ heads, as in Qwen3-0.6B and 4B.
QWEN3_HEAD_DIM = 32
# The published checkpoints spread about this much on real programs.
REWARD_SD = 2.0


class RewardHead(torch.nn.Module):
    """Value head of AceCodeRM: one linear layer with bias."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.summary = torch.nn.Linear(hidden, 1)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return self.summary(states)


class Qwen2ForCausalRM(Qwen2ForCausalLM):
    """A causal language model whose reward is the value head at the last token."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.v_head = RewardHead(config.hidden_size)
        self.post_init()


@dataclass(frozen=True)
class Shape:
    """What differs between the fixtures of one class."""

    layers: int
    tied: bool
    dtype: torch.dtype
    shards: int


def qwen3_config(shape: Shape, vocab_size: int, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "architectures": ["Qwen3ForSequenceClassification"],
        "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"], "head_dim": QWEN3_HEAD_DIM, "hidden_act": "silu", "hidden_size": HIDDEN,
        "id2label": {"0": "LABEL_0"}, "initializer_range": 0.02, "intermediate_size": INTERMEDIATE,
        "label2id": {"LABEL_0": 0}, "max_position_embeddings": 1024, "max_window_layers": shape.layers,
        "model_type": "qwen3", "num_attention_heads": HEADS, "num_hidden_layers": shape.layers,
        "num_key_value_heads": KV_HEADS, "pad_token_id": ids["<|endoftext|>"], "rms_norm_eps": 1e-06,
        "rope_scaling": None, "rope_theta": 1000000, "sliding_window": None, "tie_word_embeddings": shape.tied,
        "torch_dtype": str(shape.dtype).removeprefix("torch."), "use_cache": False, "use_sliding_window": False,
        "vocab_size": vocab_size,
    }  # fmt: skip


def llama_config(shape: Shape, vocab_size: int, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForSequenceClassification"],
        "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": ids["<|begin_of_text|>"],
        "eos_token_id": [ids["<|end_of_text|>"], ids["<|eom_id|>"], ids["<|eot_id|>"]], "hidden_act": "silu",
        "hidden_size": HIDDEN, "id2label": {"0": "LABEL_0"}, "initializer_range": 0.02,
        "intermediate_size": INTERMEDIATE, "label2id": {"LABEL_0": 0}, "max_position_embeddings": 1024,
        "mlp_bias": False, "model_type": "llama", "num_attention_heads": HEADS, "num_hidden_layers": shape.layers,
        "num_key_value_heads": KV_HEADS, "pad_token_id": ids["[PAD]"], "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        # Published: 8192. Shorter here, so that scaled frequencies show within a few hundred tokens.
        "rope_scaling": {
            "factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 128, "rope_type": "llama3",
        },
        "rope_theta": 500000.0, "tie_word_embeddings": False,
        "torch_dtype": str(shape.dtype).removeprefix("torch."), "use_cache": False, "vocab_size": vocab_size,
    }  # fmt: skip


def qwen2_config(shape: Shape, vocab_size: int, ids: dict[str, int]) -> dict[str, Any]:
    return {
        "architectures": ["Qwen2ForCausalRM"],
        "attention_dropout": 0.0, "bos_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"],
        "hidden_act": "silu", "hidden_size": HIDDEN, "initializer_range": 0.02, "intermediate_size": INTERMEDIATE,
        "max_position_embeddings": 1024, "max_window_layers": shape.layers, "model_type": "qwen2",
        "num_attention_heads": HEADS, "num_hidden_layers": shape.layers, "num_key_value_heads": KV_HEADS,
        "rms_norm_eps": 1e-06, "rope_scaling": None, "rope_theta": 1000000.0, "sliding_window": None,
        "tie_word_embeddings": shape.tied, "torch_dtype": str(shape.dtype).removeprefix("torch."),
        "use_cache": False, "use_sliding_window": False, "vocab_size": vocab_size,
    }  # fmt: skip


CLASSES = {
    "Qwen3ForSequenceClassification": (Qwen3Config, Qwen3ForSequenceClassification, qwen3_config),
    "LlamaForSequenceClassification": (LlamaConfig, LlamaForSequenceClassification, llama_config),
    "Qwen2ForCausalRM": (Qwen2Config, Qwen2ForCausalRM, qwen2_config),
}


def head_of(model: torch.nn.Module) -> torch.nn.Linear:
    return model.v_head.summary if isinstance(model, Qwen2ForCausalRM) else model.score


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights large enough that attention and every layer matter: a defect anywhere moves the reward."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith(("q_norm.weight", "k_norm.weight")):
                parameter.copy_(1.4 + 0.2 * noise)
            elif "norm" in name:
                parameter.copy_(1.0 + 0.1 * noise)
            elif name.endswith(".bias"):
                parameter.copy_(0.3 * noise)
            elif "embed_tokens" in name:
                parameter.copy_(noise)
            else:
                parameter.copy_(noise * 1.2 / math.sqrt(parameter.shape[-1]))


def build(
    architecture: str, shape: Shape, vocab_size: int, ids: dict[str, int], seed: int
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """A random model of the class in float32, and its config.json."""
    config_class, model_class, describe = CLASSES[architecture]
    config = describe(shape, vocab_size, ids)
    model = model_class(config_class.from_dict({**config, "attn_implementation": "eager", "num_labels": 1}))
    model = model.to(torch.float32).eval()
    randomise(model, seed)
    round_to(model, shape.dtype)
    return model, config


def round_to(model: torch.nn.Module, dtype: torch.dtype) -> None:
    """Makes the float32 weights exactly those that the file will hold."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(dtype).to(torch.float32))


@torch.no_grad()
def rewards(model: torch.nn.Module, sequences: list[list[int]]) -> list[float]:
    """Rewards as the class itself computes them, one sequence at a time: no padding, no batch effects."""
    found = []
    for ids in sequences:
        batch = torch.tensor([ids])
        if isinstance(model, Qwen2ForCausalRM):
            states = model.model(input_ids=batch, use_cache=False).last_hidden_state
            found.append(model.v_head(states)[0, -1, 0].item())
        else:
            found.append(model(input_ids=batch, use_cache=False).logits[0, 0].item())
    return found


def scale_head(model: torch.nn.Module, dtype: torch.dtype, sequences: list[list[int]]) -> None:
    """Scales the head so that the rewards of these sequences spread by REWARD_SD."""
    spread = torch.tensor(rewards(model, sequences)).std().item()
    with torch.no_grad():
        weight = head_of(model).weight
        weight.copy_((weight * (REWARD_SD / spread)).to(dtype).to(torch.float32))


def save(model: torch.nn.Module, config: dict[str, Any], shape: Shape, folder: Path) -> None:
    """config.json and safetensors: one file, or shards with an index, as the hub has them."""
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tensors = {
        name: tensor.detach().to(shape.dtype).contiguous()
        for name, tensor in model.state_dict().items()
        if not (shape.tied and name == "lm_head.weight")
    }
    if shape.shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = list(tensors)
    groups = [names[i * len(names) // shape.shards : (i + 1) * len(names) // shape.shards] for i in range(shape.shards)]
    weight_map = {}
    for number, group in enumerate(groups, 1):
        file = f"model-{number:05d}-of-{shape.shards:05d}.safetensors"
        save_file({name: tensors[name] for name in group}, folder / file, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(group, file))
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
