"""The whole training in one command, from an empty folder to a Hugging Face checkpoint.

  python make.py --mbpp mbpp.jsonl --heldout heldout-13grams.txt.gz [--work .cache/training]

Every step is skipped where its result exists and resumes where it was
interrupted; delete a result to make it again. The result is `release/` in the
work folder, ready for `codescaler models convert`.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# Training allocates the same large blocks every step; handing them back to the
# system in between costs more time than the arithmetic.
ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_ARENA_MAX": "1",
    "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0",
}


def run(script: str, *arguments: object, training: bool = False) -> None:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    print("+", " ".join(command[1:]), flush=True)
    environment = {**os.environ, **(ENVIRONMENT if training else {"OPENBLAS_NUM_THREADS": "1"})}
    subprocess.run(command, check=True, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=HERE.parent / ".cache/training")
    parser.add_argument("--functions", type=int, default=24_000, help="package functions to make preference groups of")
    parser.add_argument("--lm-steps", type=int, default=6000)
    parser.add_argument("--reward-steps", type=int, default=3000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    corpus, tokenizer, ids, pairs = work / "functions.jsonl.gz", work / "tokenizer", work / "lm.npy", work / "pairs"
    seed = ("--seed", options.seed)
    train = [pairs / "mbpp-train.jsonl.gz", pairs / "packages-train.jsonl.gz"]
    validation = [pairs / "mbpp-validation.jsonl.gz", pairs / "packages-validation.jsonl.gz"]
    test = [pairs / "mbpp-test.jsonl.gz", pairs / "packages-test.jsonl.gz"]

    if not (work / "raw/.done").exists():
        run("download.py", "--out", work / "raw")
        (work / "raw/.done").touch()
    if not corpus.exists():
        run("corpus.py", "--raw", work / "raw", "--heldout", options.heldout, "--mbpp", options.mbpp, "--out", corpus)
    if not (tokenizer / "tokenizer.json").exists():
        run("tokenizer.py", "--corpus", corpus, "--out", tokenizer, *seed)
    if not ids.exists():
        run("lm_data.py", "--corpus", corpus, "--mbpp", options.mbpp, "--heldout", options.heldout, "--tokenizer", tokenizer, "--out", ids, *seed)
    if not test[0].exists():
        run("pairs.py", "--corpus", corpus, "--mbpp", options.mbpp, "--heldout", options.heldout, "--out", pairs,
            "--functions", options.functions, *seed)
    linear = work / "ngram.json"
    if not linear.exists():
        run("linear.py", "--groups", *train, "--out", linear, *seed)
    run("train_lm.py", "--data", ids, "--out", work, "--steps", options.lm_steps, "--threads", options.threads, *seed, training=True)
    run("train_reward.py", "--groups", *train, "--repeats", 3, 1, "--tokenizer", tokenizer, "--start", work / "lm.pt",
        "--out", work, "--steps", options.reward_steps, "--threads", options.threads, *seed, training=True)
    checkpoint = ("--checkpoint", work / "reward.pt", "--tokenizer", tokenizer)
    run("calibrate.py", "--groups", *validation, *checkpoint, "--out", work / "calibration.json")
    run("evaluate.py", "--groups", *test, *checkpoint, "--linear", linear, "--likelihood", "--json", work / "evaluation.json")
    run("export.py", *checkpoint, "--calibration", work / "calibration.json", "--ngram", linear, "--out", work / "release")


if __name__ == "__main__":
    main()
