"""Small real byte-level BPE tokenizers, in the exact forms of the published model families."""

from __future__ import annotations

import json
import random
import sysconfig
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from training.parity.conversations import MULTILINGUAL

# The two pre-tokenizers differ in one place: Qwen splits numbers into digits, Llama 3 into groups of up to three.
QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_PATTERN = QWEN2_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

# (text, special) in the order of their ids.
QWEN25_ADDED = [
    ("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True),
    ("<|object_ref_start|>", True), ("<|object_ref_end|>", True),
    ("<|box_start|>", True), ("<|box_end|>", True), ("<|quad_start|>", True), ("<|quad_end|>", True),
    ("<|vision_start|>", True), ("<|vision_end|>", True), ("<|vision_pad|>", True),
    ("<|image_pad|>", True), ("<|video_pad|>", True),
    ("<tool_call>", False), ("</tool_call>", False),
    ("<|fim_prefix|>", False), ("<|fim_middle|>", False), ("<|fim_suffix|>", False), ("<|fim_pad|>", False),
    ("<|repo_name|>", False), ("<|file_sep|>", False),
]  # fmt: skip
QWEN3_ADDED = [
    *QWEN25_ADDED,
    ("<tool_response>", False), ("</tool_response>", False), ("<think>", False), ("</think>", False),
]  # fmt: skip
# Llama 3.1 has 256 of them; the reserved ones beyond the tenth would only fill the file.
LLAMA31_ADDED = [
    ("<|begin_of_text|>", True), ("<|end_of_text|>", True),
    ("<|reserved_special_token_0|>", True), ("<|reserved_special_token_1|>", True),
    ("<|finetune_right_pad_id|>", True), ("<|reserved_special_token_2|>", True),
    ("<|start_header_id|>", True), ("<|end_header_id|>", True),
    ("<|eom_id|>", True), ("<|eot_id|>", True), ("<|python_tag|>", True),
    *((f"<|reserved_special_token_{i}|>", True) for i in range(3, 10)),
]  # fmt: skip
# What Skywork adds on top, last, so that the vocabulary has an odd size.
PAD = ("[PAD]", True)

CORPUS_FILES = 40
CORPUS_CHARS_PER_FILE = 12_000


def corpus(rng: random.Random) -> list[str]:
    """Text to learn merges from: some modules of this Python's standard library and a few lines in many scripts."""
    library = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    picked = rng.sample(library, min(CORPUS_FILES, len(library)))
    return [path.read_text(errors="replace")[:CORPUS_CHARS_PER_FILE] for path in picked] + [MULTILINGUAL] * 4


def train_bpe(texts: list[str], pattern: str, nfc: bool, size: int) -> dict[str, Any]:
    """tokenizer.json (as a dictionary) of a fresh BPE with `size` ordinary entries."""
    tokenizer = Tokenizer(models.BPE())
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, special_tokens=[], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return json.loads(tokenizer.to_str())


def with_added_tokens(tokenizer: dict[str, Any], added: list[tuple[str, bool]]) -> dict[str, int]:
    """Appends the added tokens after the ordinary entries, as the published files do; their ids."""
    first = len(tokenizer["model"]["vocab"])
    ids = {text: first + index for index, (text, _) in enumerate(added)}
    tokenizer["added_tokens"] = [
        {
            "id": ids[text], "content": text, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": special,
        }
        for text, special in added
    ]  # fmt: skip
    return ids


def qwen_tokenizer(
    rng: random.Random, size: int, added: list[tuple[str, bool]]
) -> tuple[dict[str, Any], dict[str, int]]:
    """Qwen2's tokenizer: NFC, digits one by one, no BOS."""
    tokenizer = train_bpe(corpus(rng), QWEN2_PATTERN, True, size)
    ids = with_added_tokens(tokenizer, added)
    tokenizer["post_processor"] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    return tokenizer, ids


def llama3_tokenizer(rng: random.Random, size: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Llama 3's tokenizer: no normaliser, whole words looked up before merging, BOS by a post-processor."""
    tokenizer = train_bpe(corpus(rng), LLAMA3_PATTERN, False, size - 4)
    vocabulary = tokenizer["model"]["vocab"]
    # ignore_merges only shows where an entry cannot be reached by merges: words that no merge produces.
    unreachable = [
        word
        for word in ("Ġelsewhere", "Ġsubarray", "quicksort", "Ġpalindrome", "Ġzigzag", "xyzzy")
        if word not in vocabulary
    ]
    for word in unreachable[:4]:
        vocabulary[word] = len(vocabulary)
    tokenizer["model"]["ignore_merges"] = True
    ids = with_added_tokens(tokenizer, [*LLAMA31_ADDED, PAD])
    bos = {"id": "<|begin_of_text|>", "ids": [ids["<|begin_of_text|>"]], "tokens": ["<|begin_of_text|>"]}
    first, second = ({"Sequence": {"id": name, "type_id": kind}} for name, kind in (("A", 0), ("B", 1)))
    start = [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": kind}} for kind in (0, 1)]
    tokenizer["post_processor"] = {
        "type": "Sequence",
        "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
            {
                "type": "TemplateProcessing",
                "single": [start[0], first],
                "pair": [start[0], first, start[1], second],
                "special_tokens": {"<|begin_of_text|>": bos},
            },
        ],
    }
    return tokenizer, ids


def merges_as_text(tokenizer: dict[str, Any]) -> None:
    """The older spelling of merges, "a b" instead of ["a", "b"]: both are found in published files."""
    tokenizer["model"]["merges"] = [" ".join(pair) for pair in tokenizer["model"]["merges"]]
