# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``python3 -m lab.ee [down]``: the execution environment, built and worked with. See docs/execution-environment.md."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from lab import cluster, paths
from lab.ee import podman
from lab.ee.story import Story
from lab.errors import LabError
from lab.real.steps import Steps


def main() -> int:
    """Run the steps; 0 when all held, 1 when one failed, 2 when the machine lacks what they need."""
    options = _parser().parse_args()
    try:
        podman.check()
        place = folder(options.name)
        if options.command == "down":
            print(f"execution environment {options.name}: {'removed' if down(options.name) else 'was not there'}")
            return 0
    except LabError as error:
        print(f"lab.ee: {error}", file=sys.stderr)
        return 2
    try:
        return _run(options, place)
    except LabError as error:
        print(f"lab.ee: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab.ee: interrupted", file=sys.stderr)
        return 130


def folder(name: str) -> Path:
    """Where a run of that name keeps images and jobs: on a disk, for they take gigabytes."""
    own = os.environ.get("SLIPWAY_EE_STATE")
    return (Path(own).absolute() if own else Path("/var/tmp/slipway-ee")) / paths.lab_dir(name).name


def down(name: str) -> bool:
    """Remove containers, images, files and the lab of a run; whether there was anything."""
    place = folder(name)
    found = cluster.down(name)
    if not place.exists():
        return found
    podman.Podman(place / "podman").remove()
    shutil.rmtree(place)
    if not any(place.parent.iterdir()):
        place.parent.rmdir()
    return True


def _run(options: argparse.Namespace, place: Path) -> int:
    began = time.monotonic()
    steps = Steps()
    down(options.name)
    place.mkdir(parents=True, mode=0o700)
    engine = podman.Podman(place / "podman")
    engine.prepare()
    try:
        Story(engine, place, options.name, steps, _say).tell()
    finally:
        if options.keep:
            print(f"kept: {place}; the end of it: python3 -m lab.ee down --name {options.name}")
        else:
            with steps.step("everything removed"):
                down(options.name)
    print(f"lab.ee: {len(steps.done)} steps, 0 failed, {time.monotonic() - began:.0f} s")
    return 0


def _say(line: str) -> None:
    print(f"lab.ee: {line}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m lab.ee", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "down"), default="run")
    parser.add_argument("--name", default="ee", help="which run, and which lab (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave image, jobs and lab at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
