"""Trains the byte-level BPE tokenizer and writes it as a Hugging Face folder would hold it."""

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 8192
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
# Qwen2's pre-tokenizer, so that the server's "qwen2" tokenizer splits alike.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


def render(problem: str, code: str) -> str:
    """The reward input of a problem and a program, exactly as the chat template renders it."""
    return f"<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n{code}<|im_end|>\n"


def frame(tokenizer: Tokenizer) -> None:
    """What is around the BPE model: how text is cut into words and bytes, and put together again."""
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()


def build(texts: Iterator[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    frame(tokenizer)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """tokenizer.json, tokenizer_config.json and chat_template.jinja."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "add_bos_token": False,
                "add_prefix_space": False,
                "bos_token": None,
                "eos_token": "<|im_end|>",
                "pad_token": "<|endoftext|>",
                "unk_token": None,
                "model_max_length": 2048,
                "clean_up_tokenization_spaces": False,
                "chat_template": CHAT_TEMPLATE,
            },
            indent=1,
        )
    )


def sample_texts(corpus: Path, count: int, seed: int) -> Iterator[str]:
    """Training texts, Python more often than the rest."""
    rng = random.Random(seed)
    rows = []
    with gzip.open(corpus, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if not row["held_out"] and rng.random() < (1.0 if row["language"] == "python" else 0.5):
                rows.append(f"{row['doc']}\n{row['code']}")
    rng.shuffle(rows)
    yield from rows[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    save(build(sample_texts(arguments.corpus, arguments.texts, arguments.seed)), arguments.out)


if __name__ == "__main__":
    main()
