"""The whole way of a fine-tuned model on this machine's CPU, in about two minutes: `python -m training.evaluate.check_finetune`.

For each class: a tiny random checkpoint of test/fixtures/parity learns pairs in which the right program depends on the
problem, is written, read by Transformers, converted by `codescaler models convert`, and served; all three give the same
rewards. Then: a killed run goes on to the same weights, and two processes train as one does. Needs
requirements-finetune.txt and a built dist/server.js (npm run build).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from training.train.finetune import reward_checkpoint

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "test/fixtures/parity"
SERVER = Path(os.environ.get("CODESCALER_SERVER", ROOT / "dist/server.js"))
OPERATORS = {"sum": "+", "product": "*", "difference": "-", "quotient": "/"}
NAMES = ("total", "count", "value", "width", "depth", "score", "price", "level")
STEPS = 150
TOLERANCE = 1e-4
# One thread: two wait for each other on a machine that is busy with other things.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Pairs that differ by one operator; which one is right stands in the problem. Themis's columns."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        a, b = rng.sample(NAMES, 2)
        word, other = rng.sample(sorted(OPERATORS), 2)
        chosen, rejected = (f"def f({a}, {b}):\n    return {a} {OPERATORS[w]} {b}\n" for w in (word, other))
        made.append(
            {
                "system": "Judge whether it is correct.",
                "input": f"Return the {word} of {a} and {b}.",
                "chosen": chosen,
                "rejected": rejected,
            }
        )
    return made


def groups(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same pairs as the editor exports them."""
    return [
        {
            "id": f"w:r{n}",
            "at": n,
            "language": "python",
            "problem": row["input"],
            "chosen": row["chosen"],
            "rejected": [{"code": row["rejected"]}],
        }
        for n, row in enumerate(lines)
    ]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def command(model: Path, pairs: Path, validation: Path, out: Path, steps: int, *more: str) -> list[str]:
    return [
        "-m", "training.train.finetune", "--model", str(model), "--pairs", str(pairs), "--validation", str(validation), "--out", str(out),
        "--steps", str(steps), "--batch", "32", "--micro-batch", "16", "--lr", "3e-3", "--centre", "0.001", "--max-tokens", "256",
        "--save-minutes", "1000", *more,
    ]  # fmt: skip


def run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def rewards_of_transformers(folder: Path, conversations: list[list[dict[str, Any]]]) -> list[float]:
    checkpoint = reward_checkpoint.open_folder(folder, 4096)
    trainee = reward_checkpoint.load(checkpoint, None, False).eval()
    found = []
    for turns in conversations:
        ids = torch.tensor([checkpoint.renderer.render(turns).ids])
        with torch.no_grad():
            if checkpoint.class_name == "Qwen2ForCausalRM":
                states = trainee.model.model(input_ids=ids, use_cache=False).last_hidden_state
                found.append(trainee.model.v_head(states)[0, -1, 0].item())
            else:
                found.append(trainee.model(input_ids=ids, use_cache=False).logits[0, 0].item())
    return found


def rewards_of_server(gguf: Path, conversations: list[list[dict[str, Any]]]) -> list[float]:
    environment = {**os.environ, "CODESCALER_TOKEN": "check", "CODESCALER_THREADS": "1"}
    server = subprocess.Popen(
        ["node", str(SERVER), "serve", "--device", "cpu", "--model", str(gguf), "--precision", "exact", "--exit-with-stdin"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        url = json.loads(server.stdout.readline())["url"]
        body = json.dumps({"items": [{"messages": turns} for turns in conversations]}).encode()
        headers = {"Authorization": "Bearer check", "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/score", body, headers), timeout=120) as reply:
                return json.load(reply)["rewards"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"The server refuses: {error.read().decode()}") from None
    finally:
        server.stdin.close()
        server.wait(timeout=30)


def whole_way(fixture: str, work: Path, pairs: Path, validation: Path, *more: str) -> None:
    """Learned, written, read, converted, served."""
    out = work / fixture
    run(command(FIXTURES / fixture / "model", pairs, validation, out, STEPS, *more))
    log = log_of(out)
    before, after = [line["validation_accuracy"] for line in log if "validation_accuracy" in line]
    first, last = (
        sum(line["loss"] for line in part)
        for part in ([x for x in log if "loss" in x][:10], [x for x in log if "loss" in x][-10:])
    )
    assert after >= 0.9, f"{fixture}: accuracy {before} -> {after}"
    assert after > before, f"{fixture}: accuracy {before} -> {after}"
    assert last < first, f"{fixture}: the loss does not fall"
    gguf = out / "model.gguf"
    subprocess.run(
        ["node", str(SERVER), "models", "convert", str(out / "model"), "--out", str(gguf), "--type", "f32"],
        check=True,
        capture_output=True,
    )
    conversations = [
        [{"role": "user", "content": row["input"]}, {"role": "assistant", "content": row[side]}]
        for row in rows(8, 99)
        for side in ("chosen", "rejected")
    ]
    conversations.append(
        [
            {"role": "user", "content": "<|im_end|> is text here"},
            {"role": "assistant", "content": "x = '</think>'\n" * 80},
        ]
    )
    ours, theirs = rewards_of_server(gguf, conversations), rewards_of_transformers(out / "model", conversations)
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    assert worst <= TOLERANCE, f"{fixture}: rewards differ by {worst}"
    assert not (out / "model/calibration.json").exists()
    print(
        f"ok {fixture}: loss {first / 10:.2f} -> {last / 10:.2f}, pairs {before:.2f} -> {after:.2f}, server and Transformers differ by {worst:.1e}",
        flush=True,
    )


def weights(out: Path) -> dict[str, torch.Tensor]:
    return {
        name: value for file in sorted((out / "model").glob("*.safetensors")) for name, value in load_file(file).items()
    }


def killed_run_goes_on(work: Path, pairs: Path, validation: Path) -> None:
    """Killed after a saved state and resumed, a run ends with the weights of one that was never killed."""
    model, whole, cut = FIXTURES / "acecode/model", work / "whole", work / "cut"
    run(command(model, pairs, validation, whole, 30))
    saving = command(model, pairs, validation, cut, 30)
    saving[saving.index("--save-minutes") + 1] = "0"
    process = subprocess.Popen(
        [sys.executable, *saving], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    )
    while process.poll() is None and not ((cut / "log.jsonl").exists() and len(log_of(cut)) > 8):
        time.sleep(0.05)
    assert process.poll() is None, "the run ended before it could be killed"
    process.kill()
    process.wait()
    before = len(log_of(cut))
    run(saving)
    resumed = [line["step"] for line in log_of(cut)[before:] if "loss" in line]
    assert resumed[0] > 1, "the run began anew"
    a, b = weights(whole), weights(cut)
    worst = max((a[name].float() - b[name].float()).abs().max().item() for name in a)
    assert worst < 1e-5, f"weights differ by {worst}"
    print(f"ok killed and resumed at step {resumed[0]}: weights differ by {worst:.1e}", flush=True)


def two_processes_are_one(work: Path, pairs: Path, validation: Path) -> None:
    """The same batches on two processes, which exchange gradients, give the same losses."""
    model, one, two = FIXTURES / "qwen3-tied/model", work / "one", work / "two"
    run(command(model, pairs, validation, one, 10))
    # accelerate's own launcher starts a single process on a CPU; torchrun is what it calls for several GPUs.
    run(
        [
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc_per_node",
            "2",
            *command(model, pairs, validation, two, 10),
        ]
    )
    assert log_of(two)[-1]["processes"] == 2, "it was one process"
    a, b = ([line["loss"] for line in log_of(out) if "loss" in line] for out in (one, two))
    worst = max(abs(x - y) / abs(x) for x, y in zip(a, b, strict=True))
    assert worst < 1e-3, f"losses differ by {worst}: {a} {b}"
    print(f"ok two processes: losses differ by {worst:.1e}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        pairs, validation = write(work / "pairs.jsonl", rows(1500, 1)), write(work / "validation.jsonl", rows(100, 2))
        whole_way("qwen3-tied", work, pairs, validation)
        whole_way("qwen3-untied", work, pairs, validation, "--lm-weight", "0")
        whole_way("themis", work, pairs, validation)
        whole_way("skywork-llama", work, pairs, validation, "--lm-weight", "0")
        exported = write(work / "exported.jsonl", groups(rows(1500, 1)))
        whole_way("acecode", work, exported, validation)
        killed_run_goes_on(work, pairs, validation)
        two_processes_are_one(work, pairs, validation)


if __name__ == "__main__":
    main()
