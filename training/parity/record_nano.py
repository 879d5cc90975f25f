"""Records what Hugging Face transformers computes in float32 from the trained nano checkpoint.

    python -m training.parity.record_nano --model CHECKPOINT --out test/fixtures/nano/records.json

test/model/nano.test.ts holds the shipped q8_0 file to it: same token ids, same order. Run it again whenever
media/nano.gguf is replaced. The conversations are the demo's problems with their programs.
"""

import argparse
import json
import re
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]


def program(reply: str) -> str:
    """The fenced block of a demo reply, or all of it where it has none."""
    fenced = re.search(r"```\w*\n(.*?)```", reply, re.DOTALL)
    return (fenced.group(1) if fenced else reply).rstrip("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        arguments.model, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    groups = []
    for folder in sorted(path for path in (ROOT / "demo").iterdir() if path.is_dir()):
        problem = (folder / "task.md").read_text()
        records = []
        for reply in sorted(folder.glob("*.md")):
            if reply.name == "task.md":
                continue
            code = program(reply.read_text())
            text = tokenizer.apply_chat_template(
                [{"role": "user", "content": problem}, {"role": "assistant", "content": code}], tokenize=False
            )
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                hidden = model.model(torch.tensor([ids])).last_hidden_state[0, -1]
                reward = float(model.score(hidden))
            records.append({"name": reply.stem, "code": code, "ids": ids, "reward": reward})
        groups.append({"name": folder.name, "problem": problem, "records": records})
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(groups, indent=1) + "\n")


if __name__ == "__main__":
    main()
