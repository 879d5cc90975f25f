"""`codescaler-rewards`: the paths that trainers want, and OpenRLHF's remote service."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codescaler_rewards import openrlhf_service

FILES = {"openrlhf": "openrlhf_reward.py", "verl": "verl_reward.py", "trl": "trl_reward.py"}


def main() -> None:
    """Exit code 0 when done, 1 when the service cannot start, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="codescaler-rewards", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    path = commands.add_parser("path", help="print the file of one trainer's reward function")
    path.add_argument("trainer", choices=FILES)
    service = commands.add_parser("serve", help="answer OpenRLHF's remote reward requests")
    service.add_argument("--host", default="127.0.0.1")
    service.add_argument("--port", type=int, default=5000)
    options = parser.parse_args()
    if options.command == "path":
        print(Path(__file__).resolve().parent / FILES[options.trainer])
        return
    try:
        openrlhf_service.serve(options.host, options.port)
    except (ValueError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
