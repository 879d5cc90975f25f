"""Records what transformers gives each token of a text: for the tiny checkpoints, and for real weights out of a GGUF.

    python -m training.parity.record_likelihood fixtures FOLDER
    python -m training.parity.record_likelihood weights MODEL.gguf TOKENS.json OUT.json [--f32 OUT.gguf]

Weights are dequantised to float32. llama.cpp quantises the activations too where a matrix is quantised, so a file is
held to these values only in float32: `--f32` writes it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

# Of each class of checkpoint: conversations whose tokens are judged.
FIXTURES = ("qwen3-tied", "acecode", "skywork-llama")
RECORDS = ("sum", "subarray, right", "multilingual", "long code")


def logprobs(states: torch.Tensor, output: torch.Tensor, ids: list[int]) -> list[float]:
    """Log-probability of each token but the first, from the states after the final norm: float64 [tokens - 1]."""
    rows = torch.log_softmax(states[:-1].double() @ output.double().T, dim=-1)
    return [round(rows[place, token].item(), 6) for place, token in enumerate(ids[1:])]


def record_fixtures(folder: Path) -> None:
    for name in FIXTURES:
        fixture = json.loads((folder / name / "records.json").read_text())
        model = AutoModel.from_pretrained(
            folder / name / "model", dtype=torch.float32, attn_implementation="eager"
        ).eval()
        chosen = [one for one in fixture["records"] if one["name"] in RECORDS]
        recorded = []
        for one in chosen:
            with torch.no_grad():
                states = model(torch.tensor([one["ids"]])).last_hidden_state[0]
            values = logprobs(states, model.get_input_embeddings().weight, one["ids"])
            recorded.append({"name": one["name"], "logprobs": values})
        (folder / name / "likelihood.json").write_text(json.dumps(recorded) + "\n")


def rows_of(tensor: Any) -> np.ndarray:
    """Values in float32, in the order of PyTorch."""
    from gguf import dequantize

    return (
        dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(tuple(reversed(tensor.shape.tolist())))
    )


def unpermuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp has neighbouring rows of a head rotate together, transformers has the halves of a head."""
    size = weight.shape[0] // heads
    return weight.reshape(heads, size // 2, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def name_of(name: str) -> str:
    """Of a tensor in transformers."""
    top = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight",
        "output.weight": "lm_head.weight",
    }
    if name in top:
        return top[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{NAMES[part]}.{kind}"


def model_of(reader: Any) -> torch.nn.Module:
    """The model of a GGUF, in float32."""

    def number(key: str) -> float:
        return reader.fields[key].parts[reader.fields[key].data[0]][0].item()

    field = reader.fields["general.architecture"]
    architecture = bytes(field.parts[field.data[0]]).decode()
    tensors = {tensor.name: rows_of(tensor) for tensor in reader.tensors}
    heads = int(number(f"{architecture}.attention.head_count"))
    kv_heads = int(number(f"{architecture}.attention.head_count_kv"))
    shape = {
        "hidden_size": int(number(f"{architecture}.embedding_length")),
        "intermediate_size": int(number(f"{architecture}.feed_forward_length")),
        "num_hidden_layers": int(number(f"{architecture}.block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "rope_theta": number(f"{architecture}.rope.freq_base"),
        "rms_norm_eps": number(f"{architecture}.attention.layer_norm_rms_epsilon"),
        "max_position_embeddings": int(number(f"{architecture}.context_length")),
        "vocab_size": tensors["token_embd.weight"].shape[0],
        "tie_word_embeddings": "output.weight" not in tensors,
    }
    if architecture == "llama":
        for name, values in tensors.items():
            if ".attn_q." in name or ".attn_k." in name:
                tensors[name] = unpermuted(values, heads if ".attn_q." in name else kv_heads)
    classes = {"llama": (LlamaConfig, LlamaForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM)}
    config_class, model_class = classes[architecture]
    model = model_class(config_class(**shape, attn_implementation="eager"))
    state = {name_of(name): torch.from_numpy(values.copy()) for name, values in tensors.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or [name for name in missing if name != "lm_head.weight"]:
        raise SystemExit(f"The tensors do not fit: missing {missing}, unexpected {unexpected}.")
    model.tie_weights()
    return model.eval()


def write_f32(reader: Any, source: Path, out: Path) -> None:
    """The same file with all tensors in float32."""
    from gguf import GGMLQuantizationType, GGUFWriter

    field = reader.fields["general.architecture"]
    writer = GGUFWriter(str(out), bytes(field.parts[field.data[0]]).decode())
    for key, value in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        sub_type = value.types[-1] if len(value.types) > 1 else None
        content = 0 if key == "general.file_type" else value.contents()
        writer.add_key_value(key, content, value.types[0], sub_type=sub_type)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, rows_of(tensor), raw_dtype=GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def record_weights(source: Path, tokens: Path, out: Path, f32: Path | None) -> None:
    from gguf import GGUFReader

    reader = GGUFReader(str(source))
    if f32 is not None:
        write_f32(reader, source, f32)
    model = model_of(reader)
    recorded = []
    for ids in json.loads(tokens.read_text()):
        with torch.no_grad():
            states = model.model(torch.tensor([ids])).last_hidden_state[0]
        recorded.append({"ids": ids, "logprobs": logprobs(states, model.lm_head.weight, ids)})
    out.write_text(json.dumps(recorded) + "\n")


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fixtures").add_argument("folder", type=Path)
    weights = commands.add_parser("weights")
    for name in ("source", "tokens", "out"):
        weights.add_argument(name, type=Path)
    weights.add_argument("--f32", type=Path)
    options = parser.parse_args()
    if options.command == "fixtures":
        record_fixtures(options.folder)
    else:
        record_weights(options.source, options.tokens, options.out, options.f32)


if __name__ == "__main__":
    main()
