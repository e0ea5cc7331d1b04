# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the test suite in stages around one lab: ``python tests/run.py [all|unit|long]``.

A failed stage does not hide the ones after it; the lab is brought down whatever happens. What fails beside others on
a lab is tried a second time at the end, alone: if it passes then it was in need of quiet, and its line says so. The
last words are the list of skipped tests, compared with ``tests/allowed_skips.txt``, and one line for each stage.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# Not the developer's own lab, and the same one each time: what a killed run left is then cleaned up by the next.
LAB_NAME = f"test-{zlib.crc32(os.fsencode(ROOT)):08x}"
NEXT_PYTHON = ROOT / ".venv-next" / "bin" / "python"
SKIP_LOG = ROOT / ".build" / "skips.log"
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"
# Longer than any stage may take; a hanging stage must end before the machine that runs the suite gives up on all of it.
STAGE_SECONDS = {"all": 2700, "unit": 600, "long": 4 * 3600}
PYTEST = ["-m", "pytest", "-ra", "--durations=15", "--durations-min=10"]
# Half an hour, as root, with real hosts: who wants it starts it (docs/real.md).
NOT_HERE = {"real"}
HOSTS_OF_THEIR_OWN = {"nodes"}
# More tests than these do not fail for want of quiet.
SECOND_TRIES = 3
PASSED = "passed"
FAILED = "failed"


@dataclass(frozen=True)
class Stage:
    """``lab``: the file that names its lab to it. ``marks``: which tests pytest runs, where it is pytest."""

    name: str
    command: list[str | Path]
    lab: str = ""
    marks: str = ""

    @classmethod
    def of_tests(cls, name: str, marks: str, *places: str, lab: str = "", beside: Iterable[str] = ()) -> Stage:
        stage = cls(name, [], lab, marks)
        noted = ["--cache-clear", "-o", f"cache_dir={stage._notes}"]
        return replace(stage, command=[sys.executable, *PYTEST, *noted, "-m", marks, *beside, *places])

    @property
    def _notes(self) -> Path:
        return ROOT / ".build" / "pytest" / self.name.replace(", ", "-").replace(" ", "-")

    def failed_tests(self) -> list[str]:
        """As pytest has noted them."""
        file = self._notes / "v/cache/lastfailed"
        return sorted(json.loads(file.read_text(encoding="utf-8"))) if self.marks and file.exists() else []

    def again(self, failed: list[str]) -> Stage | None:
        """The files with the tests that ``failed``, one after the other, or all of what is not pytest's.

        None where too much has failed. Files, as some of their tests go on from what an earlier one has left.
        """
        name = f"{self.name}, second try"
        if not self.marks:
            return replace(self, name=name)
        if not 0 < len(failed) <= SECOND_TRIES:
            return None
        return Stage.of_tests(name, self.marks, *sorted({test.partition("::")[0] for test in failed}), lab=self.lab)

    def start(self, output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        """In a process group of its own, so that nothing of it outlives its end."""
        return subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=os.environ | ({"SLIPWAY_LAB_ENV": self.lab} if self.lab else {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )


@dataclass
class Beside:
    """A stage that runs beside others; what it prints waits for its end."""

    stage: Stage
    output: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.process = self.stage.start(self.output)

    def printed(self) -> str:
        self.output.seek(0)
        with self.output:
            return self.output.read().decode(errors="replace")


@dataclass
class Line:
    """``unsteady``: what failed at the first try and not at the second."""

    stage: Stage
    outcome: str
    seconds: float
    unsteady: str = ""

    @property
    def has_passed(self) -> bool:
        return self.outcome == PASSED or bool(self.unsteady)

    def __str__(self) -> str:
        return f"passed at its second try, unsteady: {self.unsteady}" if self.unsteady else self.outcome


@dataclass
class Results:
    limit: float
    lines: list[Line] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(not line.has_passed for line in self.lines)

    def run(self, stage: Stage) -> bool:
        announce(stage)
        began = time.monotonic()
        process = stage.start()
        try:
            outcome = outcome_of(process.wait(self.limit))
        except subprocess.TimeoutExpired:
            stop(process)
            outcome = self._late
        except BaseException:
            stop(process)
            raise
        self.lines.append(Line(stage, outcome, time.monotonic() - began))
        return outcome == PASSED

    def try_again(self) -> None:
        """Once more, and alone, what failed on a lab; what took too long is left as it is."""
        for line in [line for line in self.lines if line.stage.lab and line.outcome.startswith(FAILED)]:
            failed = line.stage.failed_tests()
            stage = line.stage.again(failed)
            if stage and self.run(stage):
                line.unsteady = ", ".join(failed) or line.stage.name

    def run_together(self, *lanes: Iterable[Stage]) -> None:
        """The stages of a lane one after the other, the lanes at the same time."""
        waiting = [list(lane) for lane in lanes]
        running: list[Beside | None] = [None] * len(waiting)
        try:
            while any(waiting) or any(running):
                for lane, one in enumerate(running):
                    if one is None and waiting[lane]:
                        running[lane] = Beside(waiting[lane].pop(0))
                    elif one is not None and (outcome := self._outcome(one)):
                        running[lane] = None
                        announce(one.stage)
                        print(one.printed(), flush=True)
                        self.lines.append(Line(one.stage, outcome, time.monotonic() - one.began))
                time.sleep(0.2)
        finally:
            for one in running:
                if one is not None:
                    stop(one.process)

    def _outcome(self, one: Beside) -> str:
        """Empty while it runs."""
        status = one.process.poll()
        if status is not None:
            return outcome_of(status)
        if time.monotonic() - one.began < self.limit:
            return ""
        stop(one.process)
        return self._late

    @property
    def _late(self) -> str:
        return f"no end after {self.limit:.0f} s"

    def close(self) -> int:
        width = max(len(line.stage.name) for line in self.lines)
        print()
        for line in self.lines:
            print(f"{line.stage.name:<{width}}  {line.seconds:7.1f} s  {line}")
        print(f"stages: {len(self.lines) - self.failed} passed, {self.failed} failed", flush=True)
        return min(self.failed, 1)


def announce(stage: Stage) -> None:
    print(f"\n=== {stage.name}: {' '.join(map(str, stage.command))}", flush=True)


def outcome_of(status: int) -> str:
    return PASSED if status == 0 else f"{FAILED} with exit status {status}"


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
def lab(results: Results, name: str = LAB_NAME) -> Iterator[str]:
    """A lab for all stages inside, as the file that names it to them by ``SLIPWAY_LAB_ENV``; empty where it fails."""
    cli = [sys.executable, "-m", "lab"]
    try:
        file = ""
        if results.run(Stage("lab up", [*cli, "up", "--name", name])):
            told = subprocess.run([*cli, "env", "--name", name], cwd=ROOT, capture_output=True, check=True)
            file = str(Path(json.loads(told.stdout)["state_dir"]) / "env.json")
        yield file
    finally:
        results.run(Stage("lab down", [*cli, "down", "--name", name]))


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


def contract_stage(lab: str) -> Stage:
    # Tests on a lab wait as well as they work; with one of them more than there are cores these are busy all the time.
    beside = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    marks = "not slow and not alone"
    return Stage.of_tests("contract and lab", marks, "tests/lab", "tests/contract", lab=lab, beside=beside)


def last_stages(lab: str, own_lab: str) -> tuple[list[Stage], list[Stage]]:
    """Two lanes: scenarios, which share a lab and mind each other's objects; and what has a lab for itself."""
    names = sorted({path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")} - NOT_HERE)
    scenarios = {
        name: Stage(
            f"molecule {name}",
            [BIN / "molecule", "test", "--scenario-name", name],
            own_lab if name in HOSTS_OF_THEIR_OWN else lab,
        )
        for name in names
    }
    return (
        [stage for name, stage in scenarios.items() if name not in HOSTS_OF_THEIR_OWN],
        [
            Stage.of_tests("contract, alone", "alone and not slow", "tests/contract", lab=own_lab),
            *(scenarios[name] for name in sorted(HOSTS_OF_THEIR_OWN)),
        ],
    )


def run_on_labs(results: Results, suite: str) -> None:
    with lab(results) as shared:
        if not shared:
            return
        if suite == "long":
            results.run(Stage("long", [sys.executable, *PYTEST, "-m", "slow", "tests"], shared))
            return
        results.run(contract_stage(shared))
        with lab(results, f"{LAB_NAME}-alone") as own:
            if own:
                results.run_together(*last_stages(shared, own))
            results.try_again()


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
    outcome = f"{FAILED}: {len(unlisted)} not allowed" if unlisted else PASSED
    results.lines.append(Line(Stage("skips", []), outcome, time.monotonic() - began))


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
        run_on_labs(results, suite)
    check_skips(results)
    return results.close()


if __name__ == "__main__":
    raise SystemExit(main())
