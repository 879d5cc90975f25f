"""Runs untrusted Python programs against tests, each in its own process with limits.

One isolated interpreter (`python -I`, an empty environment, a temporary folder) forks once a program, so that none sees
what another left behind and starting costs some milliseconds. A program may use `seconds` of processor time, a gigabyte
of memory, no file that is not empty, and a bounded wall time; its streams go nowhere. This guards against accidents of
sampled code; it is no sandbox against an attacker, who could still read files and open sockets.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

MEMORY = 1 << 30
"""Bytes of address space a program may have."""
WALL_SECONDS = 20
"""A program that sleeps is ended after this time; generous, because a busy machine must not fail a program."""

RUNNER = """
import sys, json, os, select, signal, resource
job = json.load(open(sys.argv[1]))
nowhere = os.open(os.devnull, os.O_RDWR)
sys.setrecursionlimit(2000)
class Stop(BaseException): pass
def stop(*_): raise Stop()

def passed(program):
    count = 0
    signal.signal(signal.SIGVTALRM, stop)  # processor time
    signal.setitimer(signal.ITIMER_VIRTUAL, job["seconds"])
    try:
        space = {"__name__": "candidate"}
        exec(compile(job["setup"] + "\\n" + program, "candidate", "exec"), space)
        for test in job["tests"]:
            try:
                exec(test, space)
                count += 1
            except Stop: raise
            except BaseException: pass
    except BaseException: count = min(count, len(job["tests"]) - 1)
    return max(count, 0)

for program in job["programs"]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        for stream in 0, 1, 2: os.dup2(nowhere, stream)
        whole = int(job["seconds"]) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))  # for a loop that catches every exception
        resource.setrlimit(resource.RLIMIT_AS, (job["memory"],) * 2)
        for limit in resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE:
            resource.setrlimit(limit, (0, 0))
        os.write(writer, b"%d" % passed(program))
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, 8) if select.select([reader], [], [], job["wall"])[0] else b""
    os.close(reader)
    try: os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError): pass
    os.waitpid(child, 0)
    print(int(answer or 0), flush=True)
"""


def count_passed(programs: Sequence[str], tests: Sequence[str], setup: str = "", seconds: float = 1.0) -> list[int]:
    """For each program, how many of the tests pass.

    `tests` are statements that raise when they fail; `setup` runs before the program. A program that ends its process,
    or is ended by a limit, passes none.
    """
    if not programs:
        return []
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(
            json.dumps(
                {
                    "programs": list(programs),
                    "tests": list(tests),
                    "setup": setup,
                    "seconds": seconds,
                    "memory": MEMORY,
                    "wall": WALL_SECONDS + seconds,
                }
            )
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", RUNNER, str(job)],
            cwd=folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin"},
        )
    counts = [int(line) for line in done.stdout.split()]
    if len(counts) != len(programs):
        raise RuntimeError(f"The test runner stopped after {len(counts)} of {len(programs)} programs: {done.stderr}")
    return counts
