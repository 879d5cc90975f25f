"""The whole training in one command, from an empty folder to a Hugging Face checkpoint.

  python -m training.make --mbpp mbpp.jsonl --heldout heldout-13grams.txt.gz [--work .cache/training]

Every step is skipped where its result exists and resumes where it was
interrupted; delete a result to make it again. The result is `release/` in the
work folder, ready for `codescaler models convert`.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Training allocates the same large blocks every step; handing them back to the
# system in between costs more time than the arithmetic.
ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_ARENA_MAX": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
}


def run(module: str, *arguments: object, training: bool = False) -> None:
    command = [sys.executable, "-m", f"training.{module}", *map(str, arguments)]
    print("+", " ".join(command[1:]), flush=True)
    environment = {**os.environ, **(ENVIRONMENT if training else {"OPENBLAS_NUM_THREADS": "1"})}
    subprocess.run(command, check=True, env=environment, cwd=ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbpp", type=Path, required=True)
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=ROOT / ".cache/training")
    parser.add_argument(
        "--warm-start", type=Path, help="GGUF of an earlier nano whose weights and tokenizer to begin with"
    )
    parser.add_argument("--functions", type=int, default=26_000, help="package functions to make preference groups of")
    parser.add_argument("--samples", type=int, default=6, help="attempts of the language model at each MBPP problem")
    parser.add_argument("--lm-steps", type=int, default=1000)
    parser.add_argument("--reward-steps", type=int, default=2000, help="at a constant rate")
    parser.add_argument("--decay-steps", type=int, default=250, help="of each seed's final stage")
    parser.add_argument("--seeds", type=int, default=3, help="final stages; the mean of their weights is the result")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tiny",
        action="store_true",
        help="a few packages, problems and steps: checks the chain in some minutes, trains nothing useful",
    )
    options = parser.parse_args()
    if options.tiny:
        (
            options.functions,
            options.samples,
            options.lm_steps,
            options.reward_steps,
            options.decay_steps,
            options.seeds,
        ) = 60, 2, 4, 4, 2, 2
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    corpus, tokenizer, ids, pairs = work / "functions.jsonl.gz", work / "tokenizer", work / "lm.npy", work / "pairs"
    seed = ("--seed", options.seed)
    sets = ("--mbpp", options.mbpp, "--heldout", options.heldout)
    train = [pairs / "mbpp-train.jsonl.gz", pairs / "packages-train.jsonl.gz", pairs / "sampled-train.jsonl.gz"]
    scored = [work / "scored" / path.name for path in train]
    validation = [pairs / "mbpp-validation.jsonl.gz", pairs / "packages-validation.jsonl.gz"]
    test = [pairs / "mbpp-test.jsonl.gz", pairs / "packages-test.jsonl.gz"]

    if not (work / "raw/.done").exists():
        run(
            "data.sources.download",
            "--out",
            work / "raw",
            *(("--packages", 2, "--registries", "pypi") if options.tiny else ()),
        )
        (work / "raw/.done").touch()
    if not corpus.exists():
        run("data.sources.corpus", "--raw", work / "raw", *sets, "--out", corpus)
    if options.warm_start and not (work / "start.pt").exists():
        run("train.warm_start", "--gguf", options.warm_start, "--work", work)
    if not (tokenizer / "tokenizer.json").exists():
        run("train.tokenizer", "--corpus", corpus, "--out", tokenizer, *seed)
    if not ids.exists():
        run("data.lm_data", "--corpus", corpus, *sets, "--tokenizer", tokenizer, "--out", ids, *seed)
    if not test[0].exists():
        run(
            "data.groups.pairs",
            "--corpus",
            corpus,
            *sets,
            "--out",
            pairs,
            "--functions",
            options.functions,
            *(("--problems", 14, "--tests", 14) if options.tiny else ()),
            *seed,
        )
    threads = ("--threads", options.threads)
    # No decay of the rate before the reward stage, which begins with the full rate.
    run(
        "train.train_lm",
        "--data",
        ids,
        "--out",
        work,
        "--steps",
        options.lm_steps,
        "--decay",
        0.02,
        *threads,
        *seed,
        *(("--start", work / "start.pt") if options.warm_start else ()),
        training=True,
    )
    written = (
        *sets,
        "--checkpoint",
        work / "lm.pt",
        "--tokenizer",
        tokenizer,
        *threads,
        *seed,
        *(("--problems", 14) if options.tiny else ()),
    )
    for split, path in (
        ("train", train[2]),
        ("validation", work / "judged-validation.jsonl"),
        ("test", work / "judged-test.jsonl"),
    ):
        if not path.exists():
            run(
                "train.sample",
                "--split",
                split,
                "--samples",
                options.samples if split == "train" or options.tiny else 20,
                "--out",
                path,
                *written,
                training=True,
            )
    if not scored[0].exists():
        run("train.text_parts.crossfit", "--groups", *train, "--out", work / "scored", *seed)
    ngram, matching = work / "ngram.json", work / "matching.json"
    if not matching.exists():
        run("train.text_parts.matching", "--corpus", corpus, *sets, "--out", matching, *seed)
    if not ngram.exists():
        run("train.text_parts.linear", "--groups", train[0], *train, "--matching", matching, "--out", ngram, *seed)
    stage = ("--groups", *scored, "--repeats", 2, 1, 3, "--tokenizer", tokenizer, "--start", work / "lm.pt", *threads)
    run(
        "train.train_reward",
        *stage,
        "--out",
        work / "reward",
        "--steps",
        options.reward_steps,
        "--decay-steps",
        0,
        *seed,
        training=True,
    )
    finals = []
    for number in range(options.seed, options.seed + options.seeds):
        folder = work / f"reward-{number}"
        run(
            "train.train_reward",
            *stage,
            "--out",
            folder,
            "--branch",
            work / "reward/reward.pt",
            "--steps",
            options.reward_steps + options.decay_steps,
            "--decay-steps",
            options.decay_steps,
            "--seed",
            number,
            training=True,
        )
        finals.append(folder / "reward.pt")
    result = work / "reward.pt"
    # The weights that a warm start began with lie in the same valley: on validation groups the mean is better with them.
    run("train.soup", "--checkpoints", *finals, *([work / "start.pt"] if options.warm_start else []), "--out", result)
    for checkpoint in (*finals, result):  # the last one leaves its coefficient and calibration
        parts = ("--checkpoint", checkpoint, "--tokenizer", tokenizer)
        calibration = checkpoint.with_name("calibration.json")
        run(
            "train.calibrate",
            "--groups",
            *validation,
            *parts,
            "--ngram",
            ngram,
            "--matching",
            matching,
            "--out",
            calibration,
        )
        run(
            "evaluate.pairwise",
            "--groups",
            *test,
            *parts,
            "--linear",
            ngram,
            "--matching",
            matching,
            *(("--likelihood",) if checkpoint == result else ()),
            "--json",
            checkpoint.with_name("evaluation.json"),
        )
    run(
        "train.export",
        "--checkpoint",
        result,
        "--tokenizer",
        tokenizer,
        "--calibration",
        work / "calibration.json",
        "--ngram",
        ngram,
        "--matching",
        matching,
        "--out",
        work / "release",
    )


if __name__ == "__main__":
    main()
