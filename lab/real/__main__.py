# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python3 -m lab.real [up | down | …]``: Kubespray, unmodified, on hosts with real pods. See lab/README.md."""

from __future__ import annotations

import argparse
import sys
import time

from lab.errors import LabError
from lab.real import ground, kubespray, login, parts, plain
from lab.real.model import hosts
from lab.real.steps import Steps
from lab.real.story import Story


def main() -> int:
    """Run the stages; 0 when all held, 1 when one failed, 2 when the machine lacks what the lab needs."""
    options = _parser().parse_args()
    try:
        if options.command == "down":
            print(f"real lab {options.name}: {'removed' if ground.down(options.name) else 'was not there'}")
            return 0
        ground.check()
        kubespray.find()
    except LabError as error:
        print(f"lab.real: {error}", file=sys.stderr)
        return 2
    try:
        return _run(options)
    except LabError as error:
        print(f"lab.real: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab.real: interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    steps = Steps()
    with steps.step("parts"):
        made = parts.ensure(_say)
    if options.command == "parts":
        return 0
    try:
        with steps.step("network and mirror"):
            run = ground.start(options.name, made)
        with steps.step("logins by a key" if options.plain else "OpenBao, logins by certificates of two minutes"):
            if options.plain:
                login.by_key(run)
            else:
                login.by_certificates(run, _say)
        with steps.step("2 hosts up"):
            ground.bring(run, hosts(1, 1), made)
        if options.command == "up":
            print(f"inventory: {run.folder}/inventory/hosts.yml")
            return 0
        if options.plain:
            plain.tell(run, made, steps)
        else:
            Story(run, made, steps).tell()
    finally:
        if options.command != "up" and not options.keep:
            with steps.step("everything removed"):
                ground.down(options.name)
    print(f"lab.real: {len(steps.done)} steps, 0 failed, {time.monotonic() - began:.0f} s")
    return 0


def _say(line: str) -> None:
    print(f"lab.real: {line}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab.real", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "parts", "up", "down"), default="run")
    parser.add_argument("--name", default="real", help="which lab (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="call Kubespray's playbooks, and not the collection's")
    parser.add_argument("--keep", action="store_true", help="leave everything up at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
