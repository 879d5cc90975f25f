"""Optimisers and schedule shared by both stages, and checkpoints that survive a kill."""

from pathlib import Path

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5


def autocast() -> torch.autocast:
    """bfloat16 where the processor multiplies it; elsewhere float32, which is many times faster than bfloat16 is there."""
    return torch.autocast(
        "cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


class Muon(torch.optim.Optimizer):
    """Muon (Jordan 2024) in float32: torch's own works in bfloat16, and takes 30 times as long where the processor does not have it."""

    def __init__(self, matrices: list[nn.Parameter], lr: float, weight_decay: float, momentum: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                average = state.setdefault("momentum_buffer", torch.zeros_like(matrix))
                average.lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(torch.lerp(matrix.grad, average, group["momentum"]))  # Nesterov's
                rows, columns = matrix.shape
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """Near U Vᵀ of the matrix's singular value decomposition, singular values between about 0.5 and 1.5."""
    a, b, c = NEWTON_SCHULZ
    x = matrix.T if matrix.size(0) > matrix.size(1) else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if matrix.size(0) > matrix.size(1) else x


def optimisers(model: nn.Module, matrix_rate: float, other_rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for embedding, norms and head.

    Muon reaches the same loss in clearly fewer tokens at this size, and its
    Newton–Schulz steps cost little where matrices are small.
    """
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (matrices if parameter.dim() == 2 and ".layers." in name else others).append(parameter)
    return [
        Muon(matrices, lr=matrix_rate, weight_decay=0.05, momentum=0.95),
        torch.optim.AdamW(others, lr=other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def rate(step: int, steps: int, warmup: int = 40, decay: float = 0.25) -> float:
    """Warm-up, constant, linear decay to 2 %: a run can be prolonged from its constant part."""
    if step < warmup:
        return (step + 1) / warmup
    left = (steps - step) / max(1.0, decay * steps)
    return max(0.02, min(1.0, left))


def set_base(found: list[torch.optim.Optimizer], matrix_rate: float, other_rate: float) -> None:
    """Full rates after a checkpoint was loaded, which brings its own."""
    for optimiser, value in zip(found, (matrix_rate, other_rate), strict=True):
        for group in optimiser.param_groups:
            group["base_lr"] = value


def set_rate(found: list[torch.optim.Optimizer], factor: float) -> None:
    for optimiser in found:
        for group in optimiser.param_groups:
            group.setdefault("base_lr", group["lr"])
            group["lr"] = group["base_lr"] * factor


def save(path: Path, state: dict[str, object]) -> None:
    """Written beside and renamed, so that a kill leaves the last whole checkpoint."""
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def use_threads(count: int) -> None:
    torch.set_num_threads(count)
    torch.set_flush_denormal(True)
