"""The nano transformer: Qwen3's architecture, written small and fast for training on a CPU.

The module's parameters carry Hugging Face's names, so a checkpoint is a
Qwen3ForSequenceClassification without renaming (`export.py` proves equality).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of a model; every row length is a multiple of 32, so q8_0 needs no padding."""

    vocabulary: int = 8192
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    feed_forward: int = 704
    rope_theta: float = 10_000.0
    eps: float = 1e-6


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden, q, bias=False)
        self.k_proj = nn.Linear(shape.hidden, kv, bias=False)
        self.v_proj = nn.Linear(shape.hidden, kv, bias=False)
        self.o_proj = nn.Linear(q, shape.hidden, bias=False)
        self.q_norm = RMSNorm(shape.head_dim, shape.eps)
        self.k_norm = RMSNorm(shape.head_dim, shape.eps)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        batch, length, _ = x.shape
        d = self.shape.head_dim
        # One product for q, k and v: three small ones leave half the arithmetic unused.
        qkv = F.linear(x, torch.cat((self.q_proj.weight, self.k_proj.weight, self.v_proj.weight)))
        q, k, v = (
            part.view(batch, length, -1, d)
            for part in qkv.split((self.shape.heads * d, self.shape.kv_heads * d, self.shape.kv_heads * d), dim=-1)
        )
        q = rotate(self.q_norm(q), rope).transpose(1, 2)
        k = rotate(self.k_norm(k), rope).transpose(1, 2)
        v = v.transpose(1, 2)
        groups = self.shape.heads // self.shape.kv_heads
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, -1))


class MLP(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = MLP(shape)
        self.input_layernorm = RMSNorm(shape.hidden, shape.eps)
        self.post_attention_layernorm = RMSNorm(shape.hidden, shape.eps)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rope, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Backbone(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.hidden, shape.eps)

    def forward(self, ids: Tensor, positions: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Hidden states after the final norm, [batch, length, hidden].

        `positions` and `mask` (True = may attend) describe packed rows; without
        them rows are plain causal sequences.
        """
        x = self.embed_tokens(ids)
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))  # keeps the residual stream narrow
        if positions is None:
            positions = torch.arange(ids.shape[1], device=ids.device)[None]
        rope = rope_tables(positions, self.shape, x.dtype)
        for layer in self.layers:
            x = layer(x, rope, mask)
        return self.norm(x)


class RewardModel(nn.Module):
    """Backbone and two readings of it: next-token logits (tied) and a scalar reward."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.model = Backbone(shape)
        self.score = nn.Linear(shape.hidden, 1, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                scale = 0.02 if "embed" in name else parameter.shape[1] ** -0.5
                nn.init.normal_(parameter, std=scale)
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.zeros_(parameter)
        nn.init.zeros_(self.score.weight)

    def rewards(self, hidden: Tensor) -> Tensor:
        """The reward read at every position, [batch, length], in float32."""
        return F.linear(hidden.float(), self.score.weight.float()).squeeze(-1)

    def token_loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of flat hidden states [n, hidden] against token ids [n]."""
        return F.cross_entropy(F.linear(hidden, self.model.embed_tokens.weight).float(), targets)

    def token_losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """The same for each of the n, 0 where the target is -100."""
        return F.cross_entropy(F.linear(hidden, self.model.embed_tokens.weight).float(), targets, reduction="none")


def rope_tables(positions: Tensor, shape: Shape, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    half = shape.head_dim // 2
    rates = shape.rope_theta ** (-torch.arange(half, device=positions.device, dtype=torch.float32) / half)
    angles = positions[..., None].float() * rates
    return angles.cos().to(dtype)[:, :, None, :], angles.sin().to(dtype)[:, :, None, :]


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding, halves rotated against each other as in Qwen3."""
    cos, sin = rope
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)
