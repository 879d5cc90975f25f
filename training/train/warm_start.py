"""Reads a shipped model file back, so that a training goes on from it: `lm.pt` and the tokenizer's folder.

  python -m training.train.warm_start --gguf media/nano.gguf --work DIR

The quantised weights are widened to float32; optimiser states start anew. The
tokenizer is the file's own, entry by entry, because token ids must not move
under weights that have learnt them.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Tokenizer, models

from training.train import optim
from training.train import tokenizer as own
from training.train.model import RewardModel, Shape

PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
TOP = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def parameter_of(tensor: str) -> str:
    """The module's name of a GGUF tensor: `blk.0.attn_q.weight` is `model.layers.0.self_attn.q_proj.weight`."""
    if tensor in TOP:
        return TOP[tensor]
    _, layer, part, _ = tensor.split(".")
    return f"model.layers.{layer}.{PARTS[part]}.weight"


def weights(reader: GGUFReader) -> dict[str, torch.Tensor]:
    """All parameters in float32, the head included."""
    found = {
        parameter_of(t.name): torch.from_numpy(dequantize(t.data, t.tensor_type).astype(np.float32))
        for t in reader.tensors
    }
    head = reader.fields["codescaler.head.weight"].contents()
    found["score.weight"] = torch.tensor(head, dtype=torch.float32)[None]
    return found


def read_tokenizer(reader: GGUFReader) -> Tokenizer:
    """The tokenizer with exactly the file's entries and merges."""
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in reader.fields["tokenizer.ggml.merges"].contents()]
    made = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    own.frame(made)
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in own.SPECIAL])
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    reader = GGUFReader(arguments.gguf)
    own.save(read_tokenizer(reader), arguments.work / "tokenizer")
    model = RewardModel(Shape())
    model.load_state_dict(weights(reader))
    optim.save(arguments.work / "start.pt", {"model": model.state_dict()})
    print(f"{sum(p.numel() for p in model.parameters())} parameters")


if __name__ == "__main__":
    main()
