"""MBPP: problems, splits, and running programs against the tests in a sandboxed subprocess."""

import json
import random
import re
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from training.data import prompts

TEST = range(11, 511)
VALIDATION = range(511, 601)
TRAIN = range(601, 975)
SECONDS = 3
"""CPU seconds for one batch item; MBPP's references need milliseconds."""
MEMORY = 1 << 30


@dataclass(frozen=True)
class Problem:
    task_id: int
    text: str
    code: str
    tests: tuple[str, ...]
    setup: str

    def asked_name(self) -> str:
        """The function the tests call."""
        called = set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", " ".join(self.tests)))
        return next((name for name in re.findall(r"def (\w+)", self.code) if name in called), "")

    def question(self, rng: random.Random) -> str:
        """The task as text alone, or with one or all of its tests, as users of MBPP pose it; or as the editor asks."""
        style = rng.random()
        if style < 0.4:
            return self.text
        if style < 0.6:
            return f"{self.text}\n{self.tests[0]}"
        if style < 0.8:
            name = self.asked_name()
            head = re.search(rf"^def {name}\(.*$", self.code, re.M)
            return prompts.at_cursor(rng, "python", name, self.text, head[0] if head else "")
        return f"{self.text}\nYour code should pass these tests:\n" + "\n".join(self.tests)


def load(path: Path, ids: range) -> list[Problem]:
    problems = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["task_id"] in ids:
            code = row["code"].replace("\r\n", "\n").expandtabs(4)
            code = "\n".join(part.rstrip() for part in code.split("\n")).strip("\n")
            problems.append(Problem(row["task_id"], row["text"], code, tuple(row["test_list"]), row["test_setup_code"]))
    return problems


RUNNER = """
import sys, json, signal, io, resource
sys.setrecursionlimit(2000)
class Stop(BaseException): pass
def stop(*_): raise Stop()
signal.signal(signal.SIGVTALRM, stop)  # processor time: a busy machine must not fail a program
source = json.load(open(sys.argv[1]))
out = sys.stdout; sys.stdout = io.StringIO()
for program in source["programs"]:
    passed = 0
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, source["seconds"])
        space = {"__name__": "candidate"}
        exec(compile(source["setup"] + "\\n" + program, "candidate", "exec"), space)
        for test in source["tests"]:
            try:
                exec(test, space)
                passed += 1
            except Stop: raise
            except BaseException: pass
    except BaseException: passed = min(passed, len(source["tests"]) - 1)
    finally: signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    sys.stdout = io.StringIO()
    out.write(str(passed) + "\\n"); out.flush()
"""


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def run_tests(item: Problem, programs: list[str], seconds: float = 1.0) -> list[int]:
    """For each program, how many of the problem's tests pass.

    All programs of a problem share one isolated interpreter process with limits
    on memory, files, processes and time; when it dies, the program that killed
    it counts as failing everything and the rest continue in a new process.
    """
    results: list[int] = []
    while len(results) < len(programs):
        with tempfile.TemporaryDirectory() as folder:
            job = Path(folder) / "job.json"
            job.write_text(
                json.dumps(
                    {
                        "programs": programs[len(results) :],
                        "tests": item.tests,
                        "setup": item.setup,
                        "seconds": seconds,
                    }
                )
            )
            try:
                done = subprocess.run(
                    [sys.executable, "-I", "-c", RUNNER, str(job)],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    preexec_fn=_limits,
                    stdin=subprocess.DEVNULL,
                    timeout=10 + seconds * (len(programs) - len(results)),
                    env={"PATH": "/usr/bin:/bin"},
                )
                lines = done.stdout.split()
            except subprocess.TimeoutExpired as stopped:
                lines = (stopped.stdout or b"").decode().split()
        results += [int(line) for line in lines]
        if len(results) < len(programs):
            results.append(0)
    return results
