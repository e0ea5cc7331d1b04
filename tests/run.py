# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the test suite in stages around one lab: ``python tests/run.py [all|unit|long]``.

A failed stage does not hide the ones after it; the lab is brought down whatever happens. The last words are the list
of skipped tests, compared with ``tests/allowed_skips.txt``, and one line for each stage.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# Not the developer's own lab, and the same one each time: what a killed run left is then cleaned up by the next.
LAB_NAME = f"test-{zlib.crc32(os.fsencode(ROOT)):08x}"
NEXT_PYTHON = ROOT / ".venv-next" / "bin" / "python"
SKIP_LOG = ROOT / ".build" / "skips.log"
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"
# Longer than any stage may take; a hanging stage must end before the machine that runs the suite gives up on all of it.
STAGE_SECONDS = {"all": 2700, "unit": 600, "long": 4 * 3600}
PYTEST = ["-m", "pytest", "-ra"]
# Half an hour, as root, with real hosts: who wants it starts it (docs/real.md).
NOT_HERE = {"real"}


@dataclass(frozen=True)
class Stage:
    name: str
    command: list[str | Path]


@dataclass
class Results:
    limit: float
    lines: list[tuple[str, str, float]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(outcome != "passed" for _name, outcome, _seconds in self.lines)

    def run(self, stage: Stage) -> bool:
        print(f"\n=== {stage.name}: {' '.join(map(str, stage.command))}", flush=True)
        began = time.monotonic()
        outcome = execute(stage.command, self.limit)
        self.lines.append((stage.name, outcome, time.monotonic() - began))
        return outcome == "passed"

    def close(self) -> int:
        width = max(len(name) for name, _outcome, _seconds in self.lines)
        print()
        for name, outcome, seconds in self.lines:
            print(f"{name:<{width}}  {seconds:7.1f} s  {outcome}")
        print(f"stages: {len(self.lines) - self.failed} passed, {self.failed} failed", flush=True)
        return min(self.failed, 1)


def execute(command: list[str | Path], limit: float) -> str:
    """Run one stage in a process group of its own, so that nothing of it outlives its end."""
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        stop(process)
        return f"no end after {limit:.0f} s"
    except BaseException:
        stop(process)
        raise
    return "passed" if status == 0 else f"failed with exit status {status}"


def stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(15)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@contextmanager
def lab(results: Results) -> Iterator[bool]:
    """One lab for all stages inside, named to them by ``SLIPWAY_LAB_ENV``; says whether it is there."""
    cli = [sys.executable, "-m", "lab"]
    try:
        there = results.run(Stage("lab up", [*cli, "up", "--name", LAB_NAME]))
        if there:
            told = subprocess.run([*cli, "env", "--name", LAB_NAME], cwd=ROOT, capture_output=True, check=True)
            os.environ["SLIPWAY_LAB_ENV"] = str(Path(json.loads(told.stdout)["state_dir"]) / "env.json")
        yield there
    finally:
        results.run(Stage("lab down", [*cli, "down", "--name", LAB_NAME]))


def unit_stages(suite: str) -> Iterator[Stage]:
    quick = [*PYTEST, "-n", "auto", "-m", "not slow and not lab", "tests/unit"]
    yield Stage("unit", [sys.executable, *quick])
    if suite == "unit":
        return
    if NEXT_PYTHON.exists():
        yield Stage("unit, newest ansible-core", [NEXT_PYTHON, *quick])
    else:
        with SKIP_LOG.open("a", encoding="utf-8") as log:
            log.write("stage unit, newest ansible-core: no Python 3.12 or later for it\n")


def lab_stages() -> Iterator[Stage]:
    # Tests on a lab wait more than they work: one more of them than there are cores. The longest come first.
    beside = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    quick = [sys.executable, *PYTEST, "-m"]
    yield Stage("contract and lab", [*quick, "not slow and not alone", *beside, "tests/lab", "tests/contract"])
    yield Stage("contract, alone", [*quick, "alone and not slow", "tests/contract"])
    for scenario in sorted({path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - NOT_HERE):
        yield Stage(f"molecule {scenario}", [BIN / "molecule", "test", "--scenario-name", scenario])


def long_stages() -> Iterator[Stage]:
    yield Stage("long", [sys.executable, *PYTEST, "-m", "slow", "tests"])


def unlisted_skips(skips: list[str], allowed: list[str]) -> list[str]:
    """Return the skips that no line of the allow-list covers; ``*`` in a line stands for anything."""
    patterns = [re.compile(".*".join(map(re.escape, line.split("*")))) for line in allowed]
    return [skip for skip in skips if not any(pattern.fullmatch(skip) for pattern in patterns)]


def check_skips(results: Results) -> None:
    began = time.monotonic()
    skips = sorted(set(SKIP_LOG.read_text(encoding="utf-8").splitlines())) if SKIP_LOG.exists() else []
    lines = (line.strip() for line in ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines())
    unlisted = unlisted_skips(skips, [line for line in lines if line and not line.startswith("#")])
    print(f"\n=== skipped tests: {len(skips)}, not in tests/allowed_skips.txt: {len(unlisted)}")
    for skip in skips:
        print(f"{'NOT ALLOWED' if skip in unlisted else 'allowed    '}  {skip}")
    outcome = f"failed: {len(unlisted)} not allowed" if unlisted else "passed"
    results.lines.append(("skips", outcome, time.monotonic() - began))


def interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the test suite.")
    parser.add_argument("suite", choices=list(STAGE_SECONDS), default="all", nargs="?")
    suite = parser.parse_args().suite
    signal.signal(signal.SIGTERM, interrupted)
    SKIP_LOG.parent.mkdir(exist_ok=True)
    SKIP_LOG.unlink(missing_ok=True)
    os.environ |= {
        "SLIPWAY_SKIP_LOG": str(SKIP_LOG),
        # Says that the scenarios are where they shall be, and keeps pytest's and Ansible's lines greppable.
        "MOLECULE_GLOB": "molecule/*/molecule.yml",
        "MOLECULE_COMMAND_BORDERS": "0",
    }
    results = Results(STAGE_SECONDS[suite])
    if suite != "unit":
        # Before the unit tests: some of them hold our reading of charts against Helm's own.
        results.run(Stage("lab programs", [sys.executable, "-m", "lab", "build"]))
    if suite != "long":
        for stage in unit_stages(suite):
            results.run(stage)
    if suite != "unit":
        with lab(results) as there:
            for stage in (lab_stages() if suite == "all" else long_stages()) if there else ():
                results.run(stage)
    check_skips(results)
    return results.close()


if __name__ == "__main__":
    raise SystemExit(main())
