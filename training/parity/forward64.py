"""A forward pass in float64, written from the equations: an oracle beside the library's own float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def _frequencies(config: dict[str, Any], head_dim: int) -> np.ndarray:
    """Rotary frequencies, [head_dim / 2]; stretched for long waves where the config says llama3."""
    base = config["rope_theta"] ** -(np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    scaling = config["rope_scaling"]
    if scaling is None:
        return base
    factor, low, high = scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * base / (2 * math.pi)
    # Full turns within the original length: at least `high` of them keep their frequency, under `low` it is divided.
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return base * (kept + (1 - kept) / factor)


def reward(state: dict[str, Any], config: dict[str, Any], ids: list[int]) -> float:
    """Reward of one sequence of token ids."""
    weights = {name.removeprefix("model."): tensor.double().numpy() for name, tensor in state.items()}
    heads, kv_heads, eps = config["num_attention_heads"], config["num_key_value_heads"], config["rms_norm_eps"]
    head_dim = config.get("head_dim", config["hidden_size"] // heads)
    length = len(ids)
    angles = np.arange(length)[:, None] * _frequencies(config, head_dim)[None]
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    future = np.triu(np.full((length, length), -np.inf), 1)

    def norm(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight

    def rotate(x: np.ndarray) -> np.ndarray:
        a, b = np.split(x, 2, -1)
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0.0)

    x = weights["embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"layers.{layer}"
        h = norm(x, weights[f"{prefix}.input_layernorm.weight"])
        q = linear(h, f"{prefix}.self_attn.q_proj").reshape(length, heads, head_dim)
        k = linear(h, f"{prefix}.self_attn.k_proj").reshape(length, kv_heads, head_dim)
        v = linear(h, f"{prefix}.self_attn.v_proj").reshape(length, kv_heads, head_dim)
        if f"{prefix}.self_attn.q_norm.weight" in weights:
            q = norm(q, weights[f"{prefix}.self_attn.q_norm.weight"])
            k = norm(k, weights[f"{prefix}.self_attn.k_norm.weight"])
        q, k = rotate(q), rotate(k)
        k, v = (np.repeat(part, heads // kv_heads, 1) for part in (k, v))
        scores = np.einsum("ihd,jhd->hij", q, k) / math.sqrt(head_dim) + future
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed = np.einsum("hij,jhd->ihd", scores, v).reshape(length, heads * head_dim)
        x = x + linear(mixed, f"{prefix}.self_attn.o_proj")
        h = norm(x, weights[f"{prefix}.post_attention_layernorm.weight"])
        gate = linear(h, f"{prefix}.mlp.gate_proj")
        x = x + linear(gate / (1 + np.exp(-gate)) * linear(h, f"{prefix}.mlp.up_proj"), f"{prefix}.mlp.down_proj")
    last = norm(x[-1], weights["norm.weight"])
    head = "score" if "score.weight" in weights else "v_head.summary"
    return linear(last[None], head).item()
