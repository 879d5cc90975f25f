"""A published reward model as a folder: opened for training, and written back in the same form.

Supported are the classes that `codescaler models convert` takes. Inputs are rendered by the rules of
docs/rendering.md (`parity/rendering.py`), so training sees the token ids that the server will score.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.utils.checkpoint
from safetensors import safe_open
from torch import Tensor, nn
from transformers import LlamaForSequenceClassification, PreTrainedModel, Qwen3ForSequenceClassification

from training.parity.checkpoints import Qwen2ForCausalRM
from training.parity.rendering import Renderer
from training.train.finetune.pair_batches import IGNORED

CLASSES: dict[str, type[PreTrainedModel]] = {
    "Qwen3ForSequenceClassification": Qwen3ForSequenceClassification,
    "LlamaForSequenceClassification": LlamaForSequenceClassification,
    "Qwen2ForCausalRM": Qwen2ForCausalRM,
}
# Everything of a folder that describes inputs; calibration.json is left behind, since it fits the old weights only.
COMPANIONS = (
    "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "chat_template.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "generation_config.json", "criteria.json",
)  # fmt: skip
# Larger shards are awkward to load and to copy; the Hub's own default.
SHARD_SIZE = "5GB"
# The template variables that transformers fills from the tokenizer's settings.
VARIABLES = ("bos_token", "eos_token", "pad_token", "unk_token")


class UnusableCheckpoint(Exception):
    """A folder cannot be fine-tuned; the message is a sentence for people."""


@dataclass(frozen=True)
class Checkpoint:
    folder: Path
    config: dict[str, Any]
    renderer: Renderer
    """True where the folder names criteria (Themis): then inputs may have a system turn."""
    has_criteria: bool

    @property
    def class_name(self) -> str:
        return self.config["architectures"][0]

    @property
    def name(self) -> str:
        """Repository or folder it came from."""
        return str(self.config.get("_name_or_path") or self.folder.resolve().name)


def open_folder(folder: Path, max_tokens: int) -> Checkpoint:
    """Reads everything but the weights. Raises UnusableCheckpoint."""
    try:
        config = json.loads((folder / "config.json").read_text())
        tokenizer = json.loads((folder / "tokenizer.json").read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise UnusableCheckpoint(
            f"{folder} lacks config.json or tokenizer.json. Give the folder of a downloaded model."
        ) from None
    class_name = (config.get("architectures") or [""])[0]
    if class_name not in CLASSES:
        raise UnusableCheckpoint(
            f"{folder} holds a {class_name or 'model without a class'}; these can be fine-tuned: {', '.join(CLASSES)}."
        )
    settings = read_json(folder / "tokenizer_config.json")
    limit = min(max_tokens, int(config["max_position_embeddings"]))
    renderer = Renderer(template_of(folder, settings), tokenizer, variables_of(settings), limit)
    return Checkpoint(folder, config, renderer, (folder / "criteria.json").exists())


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def template_of(folder: Path, settings: dict[str, Any]) -> str:
    """The chat template, looked for where transformers looks, in its order."""
    if (folder / "chat_template.jinja").exists():
        return (folder / "chat_template.jinja").read_text()
    for value in (read_json(folder / "chat_template.json").get("chat_template"), settings.get("chat_template")):
        if isinstance(value, str):
            return value
        for named in value or []:
            if named.get("name") == "default":
                return named["template"]
    raise UnusableCheckpoint(f"{folder} has no chat template. Download it with the model.")


def variables_of(settings: dict[str, Any]) -> dict[str, str]:
    """bos_token, eos_token and so on, as the template may use them."""
    found = {}
    for name in VARIABLES:
        value = settings.get(name)
        text = value.get("content") if isinstance(value, dict) else value
        if isinstance(text, str):
            found[name] = text
    return found


class Trainee(nn.Module):
    """The model with two readings of it in one forward pass, as distributed engines want it."""

    def __init__(self, model: PreTrainedModel, lm_head: Tensor | None) -> None:
        super().__init__()
        self.model = model
        # Not a parameter: it only steers the backbone and is no part of a reward model.
        self.register_buffer("lm_head", lm_head, persistent=False)

    def forward(self, ids: Tensor, last: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """(rewards, mean cross-entropy).

        `ids` [rows, length] are right-padded, `last` [rows] is the index of each row's last token, `targets`
        [rows, length] the next tokens to be predicted, IGNORED where none is. No mask is needed: attention is causal and
        nothing behind a row's last token is read.
        """
        hidden = self.model.model(input_ids=ids, use_cache=False).last_hidden_state
        rewards = self.rewards(hidden[torch.arange(len(ids), device=ids.device), last])
        chosen = targets != IGNORED
        if not bool(chosen.any()):
            # Every parameter takes part in every step, also where it has no gradient: distributed engines wait for all.
            return rewards, 0.0 * self.output_weight()[0].float().sum()
        return rewards, self.token_loss(hidden[chosen], targets[chosen])

    def rewards(self, states: Tensor) -> Tensor:
        """Rewards of hidden states [rows, hidden]: always in float32, as they are compared by small differences.

        A product and a sum, because autocast would turn a linear layer back to bfloat16.
        """
        layer = self.model.v_head.summary if isinstance(self.model, Qwen2ForCausalRM) else self.model.score
        rewards = (states.float() * layer.weight.float()).sum(-1)
        return rewards if layer.bias is None else rewards + layer.bias.float()

    def token_loss(self, hidden: Tensor, targets: Tensor, rows: int = 1024) -> Tensor:
        """Mean cross-entropy; logits exist for `rows` tokens at a time only, since a vocabulary is 150,000 wide."""
        weight = self.output_weight()
        losses = [
            torch.utils.checkpoint.checkpoint(
                part_loss, hidden[i : i + rows], weight, targets[i : i + rows], use_reentrant=False
            )
            for i in range(0, len(targets), rows)
        ]
        return torch.stack(losses).sum() / len(targets)

    def output_weight(self) -> Tensor:
        if self.lm_head is not None:
            return self.lm_head
        if isinstance(self.model, Qwen2ForCausalRM) and not self.model.config.tie_word_embeddings:
            return self.model.lm_head.weight
        return self.model.model.embed_tokens.weight


def part_loss(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy((hidden @ weight.to(hidden.dtype).T).float(), targets, reduction="sum")


def load(checkpoint: Checkpoint, lm_head: Path | None, wants_lm: bool) -> Trainee:
    """The weights in float32, ready to train. Raises UnusableCheckpoint."""
    model = CLASSES[checkpoint.class_name].from_pretrained(checkpoint.folder, dtype=torch.float32, num_labels=1)
    has_head = checkpoint.class_name == "Qwen2ForCausalRM" or bool(model.config.tie_word_embeddings)
    if wants_lm and not has_head and lm_head is None:
        raise UnusableCheckpoint(
            f"{checkpoint.name} has no language-model head. Give its base model with --lm-head FOLDER, or --lm-weight 0."
        )
    weight = read_lm_head(lm_head, model.config.hidden_size) if wants_lm and lm_head is not None else None
    if weight is not None and weight.shape[0] < model.config.vocab_size:
        # Reward models may have added a pad token; nothing ever predicts it.
        weight = nn.functional.pad(weight, (0, 0, 0, model.config.vocab_size - weight.shape[0]))
    return Trainee(model, weight)


def read_lm_head(folder: Path, hidden: int) -> Tensor:
    """The output layer of a base model, [vocabulary, hidden]."""
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, "pt") as tensors:
                if name in tensors:
                    weight = tensors.get_tensor(name)
                    if weight.shape[1] == hidden:
                        return weight
    raise UnusableCheckpoint(
        f"{folder} holds no output layer of width {hidden}. Give the folder of the model's own base."
    )


def save(checkpoint: Checkpoint, model: PreTrainedModel, state: dict[str, Tensor], out: Path) -> None:
    """Writes the folder: weights in the checkpoint's own number format, its config, tokenizer and template.

    It appears under its name only when it is complete. The config says what it was made from, under a name of its own.
    """
    stated = str(checkpoint.config.get("dtype") or checkpoint.config.get("torch_dtype") or "float32")
    dtype = getattr(torch, stated.removeprefix("torch."))
    tied = bool(checkpoint.config.get("tie_word_embeddings"))
    tensors = {
        name: value.to(dtype).contiguous() for name, value in state.items() if not (tied and name == "lm_head.weight")
    }
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial, state_dict=tensors, max_shard_size=SHARD_SIZE)
    config = {**checkpoint.config, "_name_or_path": f"{checkpoint.name.split('/')[-1]}-finetuned"}
    (partial / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name in COMPANIONS:
        if (checkpoint.folder / name).exists():
            shutil.copy(checkpoint.folder / name, partial / name)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
