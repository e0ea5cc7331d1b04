# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The cache of programs: each made once, checked at use, never half there."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import time
from pathlib import Path

import pytest

from lab import cache, golang, wheels
from lab.cache import Unit
from lab.errors import LabError

UNIT = Unit("tool", "1.0", "0123456789abcdef", ("tool",), 1)


class Builder:
    """Stands in for a build: counts its runs in a file, so that other processes' runs count too."""

    def __init__(self, log: Path, content: str = "program", seconds: float = 0.0) -> None:
        self.log, self.content, self.seconds = log, content, seconds

    def __call__(self, target: Path) -> None:
        with self.log.open("a") as log:
            log.write("built\n")
        time.sleep(self.seconds)
        (target / "tool").write_text(self.content)

    @property
    def runs(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "runs")


def quiet(_line: str) -> None:
    """Nobody reads along."""


def test_is_built_once_and_executable(root: Path, builder: Builder) -> None:
    lines: list[str] = []
    first = cache.ensure(root, UNIT, builder, lines.append)
    second = cache.ensure(root, UNIT, builder, lines.append)
    assert first == second == root / "tool-1.0-0123456789ab"
    assert os.access(first / "tool", os.X_OK)
    assert builder.runs == 1
    assert lines == ["tool 1.0: started, about 1 s", "tool 1.0: ready after 0 s"]


def test_other_sources_are_another_build(root: Path, builder: Builder) -> None:
    cache.ensure(root, UNIT, builder, quiet)
    other = Unit(UNIT.name, UNIT.version, "f" * 64, UNIT.programs, 1)
    assert cache.ensure(root, other, builder, quiet) != root / UNIT.key
    assert builder.runs == 2


def test_altered_program_is_made_again(root: Path, builder: Builder) -> None:
    program = cache.ensure(root, UNIT, builder, quiet) / "tool"
    program.write_text("PROGRAM")
    lines: list[str] = []
    cache.ensure(root, UNIT, builder, lines.append)
    assert program.read_text() == "program"
    assert lines[0] == "tool 1.0: the cached copy was altered, making it again"


def test_a_new_time_of_change_alone_is_no_alteration(root: Path, builder: Builder) -> None:
    program = cache.ensure(root, UNIT, builder, quiet) / "tool"
    os.utime(program, (1, 1))
    cache.ensure(root, UNIT, builder, quiet)
    assert builder.runs == 1


def test_missing_program_or_record_is_made_again(root: Path, builder: Builder) -> None:
    folder = cache.ensure(root, UNIT, builder, quiet)
    (folder / "tool").unlink()
    cache.ensure(root, UNIT, builder, quiet)
    (folder / cache.RECORD).write_text("{")
    cache.ensure(root, UNIT, builder, quiet)
    assert builder.runs == 3


def test_failed_build_leaves_nothing(root: Path, builder: Builder) -> None:
    def breaks(target: Path) -> None:
        (target / "tool").write_text("half a prog")
        raise LabError("no network")

    with pytest.raises(LabError, match="no network"):
        cache.ensure(root, UNIT, breaks, quiet)
    assert [path.name for path in root.iterdir()] == [f"{UNIT.key}.lock"]
    cache.ensure(root, UNIT, builder, quiet)


def test_what_a_killed_build_left_is_removed(root: Path, builder: Builder) -> None:
    left = root / f".{UNIT.key}.abc"
    left.mkdir(parents=True)
    (left / "tool").write_text("half a prog")
    cache.ensure(root, UNIT, builder, quiet)
    assert not left.exists()


def test_build_that_makes_too_little_is_an_error(root: Path) -> None:
    with pytest.raises(LabError, match="left out tool"):
        cache.ensure(root, UNIT, lambda target: None, quiet)


def test_two_processes_build_once(root: Path, tmp_path: Path) -> None:
    builder = Builder(tmp_path / "runs", seconds=0.5)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=cache.ensure, args=(root, UNIT, builder, quiet)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert builder.runs == 1


def test_cache_is_outside_the_work_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("SLIPWAY_LAB_CACHE", raising=False)
    assert cache.cache_root() == tmp_path / "slipway-lab"
    monkeypatch.setenv("SLIPWAY_LAB_CACHE", str(tmp_path / "own"))
    assert cache.cache_root() == tmp_path / "own"


def test_a_wheel_with_other_content_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fetch(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        (tmp_path / "thing-1.0-py3-none-any.whl").write_text("not what was pinned")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", fetch)
    with pytest.raises(LabError, match="not the pinned file"):
        wheels.download(wheels.Wheel("thing", "1.0", "0" * 64), tmp_path)


def test_every_module_is_pinned() -> None:
    for folder in ("kubernetes", "etcd", "etcdtools", "kwok", "helm3"):
        assert (golang.MODULES / folder / "go.sum").stat().st_size > 0
