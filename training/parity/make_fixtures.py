"""Makes the parity fixtures: tiny random checkpoints and what Hugging Face's stack computes from them.

usage: python -m training.parity.make_fixtures [--seed 1] [--out DIR] [--conversations FILE.json]

FILE.json: [{"name": str, "messages": [{"role", "content"}], "criterion"?: str}, …] instead of the built-in ones.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from training.parity import checkpoints, conversations, forward64, vocabulary
from training.parity.checkpoints import Shape
from training.parity.rendering import Renderer, TooLong, well_formed

HERE = Path(__file__).parent
DEFAULT_OUT = HERE.parent.parent / "test" / "fixtures" / "parity"
# Longest input of the fixtures, in tokens: short, so that over-long inputs stay small.
LIMIT = 256
# Ordinary entries of the vocabularies. Some hundreds more than the 256 bytes: enough for real merges.
VOCABULARY = 1000
RANDOM_CONVERSATIONS = 8

# Wording of Themis's system turn for each criterion. PLACEHOLDERS: the published wording is not known to this project.
CRITERIA = {
    "functional_correctness": "PLACEHOLDER. Judge the code by its functional correctness.",
    "runtime_efficiency": "PLACEHOLDER. Judge the code by its runtime efficiency.",
    "memory_efficiency": "PLACEHOLDER. Judge the code by its memory efficiency.",
    "security_hardness": "PLACEHOLDER. Judge the code by its security.",
    "readability_maintainability": "PLACEHOLDER. Judge the code by its readability.",
}


@dataclass(frozen=True)
class Fixture:
    """One checkpoint of the set."""

    name: str
    family: str
    architecture: str
    shape: Shape
    template: str
    added: list[tuple[str, bool]]
    # Where the hub's file of this model keeps its template: a file of its own, or inside tokenizer_config.json.
    template_file: bool
    merges_as_text: bool
    # The embedding matrix is larger than the vocabulary by padding, as in all Qwen models.
    padded_to: int


BF16 = torch.bfloat16
FIXTURES = [
    Fixture("qwen3-tied", "codescaler", "Qwen3ForSequenceClassification", Shape(2, True, BF16, 1), "qwen3.jinja",
            vocabulary.QWEN3_ADDED, True, True, 64),
    Fixture("qwen3-untied", "codescaler", "Qwen3ForSequenceClassification", Shape(3, False, BF16, 3), "qwen3.jinja",
            vocabulary.QWEN3_ADDED, True, False, 64),
    Fixture("themis", "themis", "Qwen3ForSequenceClassification", Shape(2, True, BF16, 1), "qwen3.jinja",
            vocabulary.QWEN3_ADDED, False, False, 64),
    Fixture("skywork-llama", "skywork-llama", "LlamaForSequenceClassification", Shape(3, False, BF16, 2), "llama31.jinja",
            [*vocabulary.LLAMA31_ADDED, vocabulary.PAD], False, True, 1),
    Fixture("acecode", "acecode", "Qwen2ForCausalRM", Shape(2, False, torch.float32, 3), "qwen25.jinja",
            vocabulary.QWEN25_ADDED, False, False, 64),
]  # fmt: skip


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


def tokenizer_config(fixture: Fixture, ids: dict[str, int], template: str) -> dict[str, Any]:
    llama = fixture.family == "skywork-llama"
    config = {
        "added_tokens_decoder": {
            str(ids[text]): {
                "content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": special,
            }
            for text, special in fixture.added
        },
        "bos_token": "<|begin_of_text|>" if llama else None,
        "clean_up_tokenization_spaces": llama,
        "eos_token": "<|eot_id|>" if llama else "<|im_end|>",
        "model_max_length": 131072,
        "pad_token": "[PAD]" if llama else "<|endoftext|>",
        "tokenizer_class": "PreTrainedTokenizerFast" if llama else "Qwen2Tokenizer",
    }  # fmt: skip
    if not fixture.template_file:
        config["chat_template"] = template
    return config


def asked(fixture: Fixture, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversations for this model; Themis's take turns through no criterion and each of its criteria.

    A system turn of the conversation's own leaves no place for a criterion.
    """
    if fixture.family != "themis":
        return [{key: item[key] for key in ("name", "messages")} for item in items]
    choices = [None, *CRITERIA]
    chosen = []
    for index, item in enumerate(items):
        own = item["messages"][0]["role"] == "system"
        criterion = None if own else item.get("criterion", choices[index % len(choices)])
        chosen.append(
            {"name": item["name"], "messages": item["messages"], **({"criterion": criterion} if criterion else {})}
        )
    return chosen


def turns(item: dict[str, Any]) -> list[dict[str, Any]]:
    """A criterion is a system turn before all others."""
    messages = item["messages"]
    if "criterion" not in item:
        return messages
    return [{"role": "system", "content": CRITERIA[item["criterion"]]}, *messages]


def check(fixture: Fixture, renderer: Renderer, records: list[dict[str, Any]], folder: Path) -> int:
    """Holds the records to transformers itself wherever our guards change nothing; how many it could compare."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    _, model_class, _ = checkpoints.CLASSES[fixture.architecture]
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    compared = 0
    for record in records:
        messages = turns(record)
        spelled = any(renderer.spelling.search(message["content"]) for message in messages)
        odd = any(well_formed(message["content"]) != message["content"] for message in messages)
        if spelled or odd or record.get("truncated", True):
            continue
        text = tokenizer.apply_chat_template(messages, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if text != record["text"] or ids != record["ids"]:
            raise SystemExit(f"{fixture.name}, {record['name']}: transformers renders it differently")
        if abs(checkpoints.rewards(model, [ids])[0] - record["reward"]) > 1e-5:
            raise SystemExit(f"{fixture.name}, {record['name']}: the saved checkpoint gives another reward")
        compared += 1
    return compared


def make(fixture: Fixture, seed: int, items: list[dict[str, Any]], out: Path) -> None:
    rng = random.Random(f"{seed} {fixture.name}")
    folder = out / fixture.name / "model"
    folder.mkdir(parents=True)
    template = (HERE / "templates" / fixture.template).read_text()
    if fixture.family == "skywork-llama":
        tokenizer, ids = vocabulary.llama3_tokenizer(rng, VOCABULARY)
        variables = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "[PAD]"}
    else:
        tokenizer, ids = vocabulary.qwen_tokenizer(rng, VOCABULARY, fixture.added)
        variables = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    entries = len(tokenizer["model"]["vocab"]) + len(ids)
    vocab_size = -(-entries // fixture.padded_to) * fixture.padded_to
    if fixture.family == "skywork-llama" and vocab_size % 2 == 0:
        raise SystemExit("the vocabulary with the pad token must have an odd size, as the published one has")

    renderer = Renderer(template, tokenizer, variables, LIMIT)
    records = []
    for item in asked(fixture, items):
        try:
            rendered = renderer.render(turns(item))
            records.append({**item, "text": rendered.text, "ids": rendered.ids, "truncated": rendered.truncated})
        except TooLong as error:
            records.append({**item, "refused": str(error)})
    scored = [record for record in records if "ids" in record]
    sequences = [record["ids"] for record in scored]

    model, config = checkpoints.build(fixture.architecture, fixture.shape, vocab_size, ids, rng.randrange(2**31))
    checkpoints.scale_head(model, fixture.shape.dtype, sequences)
    singles = checkpoints.rewards(model, sequences)
    doubles = [forward64.reward(model.state_dict(), config, sequence) for sequence in sequences]
    for record, single, double in zip(scored, singles, doubles, strict=True):
        record["reward"] = single
        record["reward64"] = double

    checkpoints.save(model, config, fixture.shape, folder)
    if fixture.merges_as_text:
        vocabulary.merges_as_text(tokenizer)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False) + "\n")
    write_json(folder / "tokenizer_config.json", tokenizer_config(fixture, ids, template))
    if fixture.template_file:
        (folder / "chat_template.jinja").write_text(template)
    if fixture.family == "themis":
        write_json(folder / "criteria.json", CRITERIA)
    compared = check(fixture, renderer, records, folder)
    header = {"name": fixture.name, "family": fixture.family, "architecture": fixture.architecture, "limit": LIMIT}
    lines = ",\n".join(json.dumps(record) for record in records)
    (out / fixture.name / "records.json").write_text(f'{json.dumps(header)[:-1]}, "records": [\n{lines}\n]}}\n')
    worst = max(abs(a - b) for a, b in zip(singles, doubles, strict=True))
    spread = torch.tensor(singles).std().item()
    cut = sum(record.get("truncated", False) for record in records)
    print(
        f"{fixture.name}: vocabulary {vocab_size}, {len(records)} conversations, {cut} shortened,"
        f" {len(records) - len(scored)} refused, {compared} as in transformers, reward sd {spread:.2f}, float32 against float64 {worst:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--conversations", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.conversations:
        items = json.loads(options.conversations.read_text())
    else:
        items = conversations.fixed() + conversations.random_ones(random.Random(options.seed), RANDOM_CONVERSATIONS)
    for fixture in FIXTURES:
        shutil.rmtree(options.out / fixture.name, ignore_errors=True)
        make(fixture, options.seed, items, options.out)
    packages = ["torch", "transformers", "tokenizers", "safetensors", "jinja2", "numpy"]
    made_with = {
        "seed": options.seed,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
    write_json(options.out / "made-with.json", made_with)


if __name__ == "__main__":
    main()
