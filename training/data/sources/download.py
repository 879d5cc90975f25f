"""Fetches the packages named in packages.py with each registry's own client (pip, npm, go, cargo, mvn).

Archives land under `raw/<registry>`; nothing is executed or installed. A
registry whose client is missing is skipped with a line that says so.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from training.data.sources import packages

SECONDS = 600
MOST: int | None = None
"""Packages a registry and side of the split, set once by `--packages`; None for all."""
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def attempt(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> bool:
    """Whether the command succeeded; its complaint goes to stderr."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode:
        print(f"skipped: {' '.join(command[-3:])}: {done.stderr.strip()[-200:]}", file=sys.stderr)
    return done.returncode == 0


def each(names: list[str], fetch: Callable[[str], object], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(fetch, names))


def names(registry: str, listed: list[str]) -> list[str]:
    held = sorted(packages.HELD_OUT.get(registry, ())) if registry != "maven" else []
    return list(dict.fromkeys([*held[:MOST], *[name for name in listed if name not in held][:MOST]]))


def pypi(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", "."]
    each(names("pypi", packages.PYPI), lambda name: attempt([*pip, name], folder), 4)


def npm(folder: Path) -> None:
    each(names("npm", packages.NPM), lambda name: attempt(["npm", "pack", "--silent", name], folder), 2)


def go(folder: Path) -> None:
    environment = {"GOMODCACHE": str(folder / "mod"), "GOFLAGS": "-modcacherw"}
    if not (folder / "go.mod").exists():
        attempt(["go", "mod", "init", "corpus"], folder, environment)
    each(
        names("go", packages.GO),
        lambda name: attempt(["go", "mod", "download", "-json", f"{name}@latest"], folder, environment),
        2,
    )


def crates(folder: Path) -> None:
    wanted = "\n".join(f'{name} = "*"' for name in names("crates", packages.CRATES))
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/lib.rs").touch()
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "corpus"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n{wanted}\n'
    )
    attempt(["cargo", "vendor", "-q"], folder)


def maven(folder: Path) -> None:
    each(
        packages.MAVEN,
        lambda name: attempt(
            ["mvn", "-q", MAVEN_COPY, f"-Dartifact={name}:jar:sources", f"-DoutputDirectory={folder}"], folder
        ),
        1,
    )


REGISTRIES = {
    "pypi": (pypi, sys.executable),
    "npm": (npm, "npm"),
    "go": (go, "go"),
    "crates": (crates, "cargo"),
    "maven": (maven, "mvn"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--registries", nargs="+", choices=REGISTRIES, default=list(REGISTRIES))
    parser.add_argument(
        "--packages", type=int, help="only so many of each registry's held-out and of its other packages, for a trial"
    )
    arguments = parser.parse_args()
    global MOST
    MOST = arguments.packages
    for name in arguments.registries:
        fetch, client = REGISTRIES[name]
        folder = (arguments.out / name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.which(client) is None:
            print(f"skipped: {name}, {client} is not installed", file=sys.stderr)
            continue
        fetch(folder)
        print(f"{name}: fetched into {folder}")


if __name__ == "__main__":
    main()
