"""Programs that the language-model stage itself writes for MBPP problems, judged by their tests.

Each problem is asked several times: with the asked header alone, and with a part
of the reference below it, so that some attempts succeed. Written are

- for training problems: preference groups as of `pairs.py` (kind `sampled`), a
  right program (a reference in some layout, or an attempt that passes) against
  attempts that fail;
- for other problems: judged samples in the format of `codescaler eval best-of-n`.
"""

import argparse
import gzip
import json
import random
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from training.data import mbpp
from training.data.groups import mbpp_pairs
from training.data.heldout import load_hashes, shares_ngram
from training.data.mutate import coarse
from training.train import optim
from training.train.model import RewardModel, Shape, rope_tables, rotate

BATCH = 64
MAX_PROMPT = 480
NEW_TOKENS = 128
WRONG_PER_GROUP = 5
END = "<|im_end|>"
Row = dict[str, object]


@torch.no_grad()
def generate(model: RewardModel, prompts: list[list[int]], end: int, temperature: float, seed: int) -> list[list[int]]:
    """Continuations of equally many prompts (token ids), without the closing token; keys and values are kept."""
    shape, count, width = model.model.shape, len(prompts), max(map(len, prompts))
    draw = torch.Generator().manual_seed(seed)
    ids = torch.zeros(count, width, dtype=torch.long)
    seen = torch.zeros(count, width + NEW_TOKENS, dtype=torch.bool)
    for row, prompt in enumerate(prompts):  # padding on the left, so that all rows grow at the same place
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        seen[row, width - len(prompt) :] = True
    positions = (seen[:, :width].cumsum(1) - 1).clamp(min=0)
    cache = [
        tuple(torch.zeros(2, count, shape.kv_heads, width + NEW_TOKENS, shape.head_dim)) for _ in range(shape.layers)
    ]
    written: list[list[int]] = [[] for _ in prompts]
    open_rows = torch.ones(count, dtype=torch.bool)
    at = 0
    for _ in range(NEW_TOKENS):
        hidden = forward(model, ids, positions, cache, seen, at)
        at += ids.shape[1]
        logits = F.linear(hidden[:, -1], model.model.embed_tokens.weight) / temperature
        chosen = torch.multinomial(logits.softmax(-1), 1, generator=draw)
        open_rows &= chosen[:, 0] != end
        if not open_rows.any():
            break
        for row in open_rows.nonzero()[:, 0].tolist():
            written[row].append(int(chosen[row]))
        ids, positions = chosen, positions[:, -1:] + 1
    return written


def forward(
    model: RewardModel, ids: Tensor, positions: Tensor, cache: list[tuple[Tensor, Tensor]], seen: Tensor, at: int
) -> Tensor:
    """Hidden states of new tokens at cache place `at` and on; `seen` [batch, places] is False at padding."""
    shape = model.model.shape
    new = ids.shape[1]
    place = torch.arange(at + new)
    mask = seen[:, None, None, : at + new] & (place[None, :] <= place[at:, None])[None, None]
    mask = mask | (place[None, :] == place[at:, None])[None, None]  # padding sees itself, so that no row is empty
    x = model.model.embed_tokens(ids)
    rope = rope_tables(positions, shape, x.dtype)
    for layer, (keys, values) in zip(model.model.layers, cache, strict=True):
        own, normal = layer.self_attn, layer.input_layernorm(x)
        q, k, v = (
            part.view(len(ids), new, -1, shape.head_dim)
            for part in (own.q_proj(normal), own.k_proj(normal), own.v_proj(normal))
        )
        q = rotate(own.q_norm(q), rope).transpose(1, 2)
        keys[:, :, at : at + new] = rotate(own.k_norm(k), rope).transpose(1, 2)
        values[:, :, at : at + new] = v.transpose(1, 2)
        k, v = keys[:, :, : at + new], values[:, :, : at + new]
        if new == 1:  # the heads of a group ask as so many tokens of one head: the long cache is not copied
            out = F.scaled_dot_product_attention(
                q.reshape(len(ids), shape.kv_heads, -1, shape.head_dim), k, v, attn_mask=mask
            )
            out = out.reshape(len(ids), shape.heads, 1, shape.head_dim)
        else:
            groups = shape.heads // shape.kv_heads
            out = F.scaled_dot_product_attention(
                q, k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1), attn_mask=mask
            )
        x = x + own.o_proj(out.transpose(1, 2).reshape(len(ids), new, -1))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return model.model.norm(x)


@dataclass(frozen=True)
class Attempt:
    item: mbpp.Problem
    question: str
    given: str
    """What the program begins with: the header, or more of the reference."""
    text: str
    passed: bool


def given_part(rng: random.Random, item: mbpp.Problem) -> str:
    """The reference up to the asked header, or up to some line below it."""
    lines = item.code.split("\n")
    name = item.asked_name()
    head = next((i for i, line in enumerate(lines) if line.startswith(f"def {name}(")), 0)
    more = 0 if rng.random() < 0.5 else rng.randrange(0, len(lines) - head)
    return "\n".join(lines[: head + 1 + more]) + "\n"


def attempts(
    model: RewardModel, tokenizer: Tokenizer, items: list[mbpp.Problem], samples: int, seed: int
) -> list[Attempt]:
    """`samples` attempts at every problem, run against its tests."""
    rng = random.Random(seed)
    asked = []
    for item in items:
        question = item.question(rng)
        for _ in range(samples):
            given = given_part(rng, item)
            prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{given}"
            asked.append((item, question, given, tokenizer.encode(prompt, add_special_tokens=False).ids[-MAX_PROMPT:]))
    asked.sort(key=lambda entry: len(entry[3]))
    texts = []
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        temperature = rng.choice((0.4, 0.6, 0.8))
        new = generate(model, [ids for *_, ids in part], tokenizer.token_to_id(END), temperature, seed * 10_007 + start)
        texts += [given + tokenizer.decode(ids) for (_, _, given, _), ids in zip(part, new, strict=True)]
        print(f"{len(texts)} of {len(asked)}", flush=True)
    by_item: dict[int, list[int]] = {}
    for i, (item, *_) in enumerate(asked):
        by_item.setdefault(item.task_id, []).append(i)
    passed = np.zeros(len(asked), bool)

    def judge(places: list[int]) -> None:
        item = asked[places[0]][0]
        for place, count in zip(places, mbpp.run_tests(item, [texts[i] for i in places], 0.3), strict=True):
            passed[place] = count == len(item.tests)

    with ThreadPool(2) as pool:
        pool.map(judge, by_item.values())
    order = sorted(range(len(asked)), key=lambda i: asked[i][0].task_id)
    return [Attempt(*asked[i][:3], texts[i], bool(passed[i])) for i in order]


def groups(made: list[Attempt], seed: int) -> list[Row]:
    """Preference groups: a right program against attempts that fail, each used once."""
    rng = random.Random(seed)
    by_item: dict[int, list[Attempt]] = {}
    for attempt in made:
        by_item.setdefault(attempt.item.task_id, []).append(attempt)
    rows: list[Row] = []
    for task, found in by_item.items():
        item = found[0].item
        bases = [code for code, _ in mbpp_pairs.bases_of(rng, item, True)]
        right = [
            code
            for code, count in zip(bases, mbpp.run_tests(item, bases, 0.3), strict=True)
            if count == len(item.tests)
        ]
        own = sorted({attempt.text.strip() for attempt in found if attempt.passed} - {item.code})
        wrong = sorted({attempt.text.strip("\n") for attempt in found if not attempt.passed})
        rng.shuffle(wrong)
        for start in range(0, len(wrong), WRONG_PER_GROUP):
            source = own if own and (not right or rng.random() < 0.5) else right
            if source:
                rows.append({
                    "source": "mbpp-sampled", "task_id": task, "language": "python", "problem": item.question(rng),
                    "chosen": coarse.ending(rng, rng.choice(source)),
                    "rejected": [{"kind": "sampled", "code": coarse.ending(rng, text)} for text in wrong[start : start + WRONG_PER_GROUP]],
                })  # fmt: skip
    return rows


def judged(made: list[Attempt]) -> list[Row]:
    """Lines of `eval best-of-n`."""
    by_item: dict[int, list[Attempt]] = {}
    for attempt in made:
        by_item.setdefault(attempt.item.task_id, []).append(attempt)
    return [
        {
            "id": f"mbpp-{task}",
            "task": {"question": found[0].question},
            "language": "python",
            "samples": [{"text": attempt.text, "passed": attempt.passed} for attempt in found],
        }
        for task, found in by_item.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True, help="of the language-model stage")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--split", choices=("train", "validation", "test"), required=True)
    parser.add_argument("--samples", type=int, default=20, help="attempts at a problem")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--problems", type=int, help="only so many MBPP problems of a split, for a trial")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    optim.use_threads(arguments.threads)
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    model = RewardModel(Shape())
    model.load_state_dict(torch.load(arguments.checkpoint)["model"])
    ids = {"train": mbpp.TRAIN, "validation": mbpp.VALIDATION, "test": mbpp.TEST}[arguments.split]
    items = mbpp.load(arguments.mbpp, ids)
    training = arguments.split == "train"
    if training:
        hashes = load_hashes(arguments.heldout)
        items = [item for item in items if not shares_ngram(f"{item.text}\n{item.code}", hashes)]
    made = attempts(model, tokenizer, items[: arguments.problems], arguments.samples, arguments.seed)
    rows = groups(made, arguments.seed) if training else judged(made)
    compressed = arguments.out.suffix == ".gz"
    with gzip.open(arguments.out, "wt", compresslevel=3) if compressed else arguments.out.open("w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    print(f"{len(made)} attempts, {np.mean([attempt.passed for attempt in made]):.3f} pass, {len(rows)} lines")


if __name__ == "__main__":
    main()
