# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What tests/ and the verifiers of molecule/ have in common.

Every skipped test is written down: ``tests/run.py`` names the file and compares it with ``tests/allowed_skips.txt``.
A test that silently stopped running must not look like one that passed.

Side by side (``--dist loadfile``) run files, as their tests share what they set up; those of tests/lab share two labs,
and those of its AWX share that.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling


class SkipLog:
    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped:
            return
        reason = getattr(report, "wasxfail", None)
        if reason is None:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        line = f"{report.nodeid}: {reason.removeprefix('Skipped: ')}".replace("\n", " ")
        with self._path.open("a", encoding="utf-8") as log:
            log.write(line + "\n")


def pytest_configure(config: pytest.Config) -> None:
    path = os.environ.get("SLIPWAY_SKIP_LOG")
    is_xdist_worker = hasattr(config, "workerinput")
    if path and not is_xdist_worker:
        config.pluginmanager.register(SkipLog(Path(path)), "slipway-skip-log")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = _group
    return scheduler


def _group(nodeid: str) -> str:
    """What one worker runs as a whole."""
    shared = (("tests/lab/test_awx", "awx"), ("tests/lab/", "lab"))
    return next((name for start, name in shared if nodeid.startswith(start)), nodeid.partition("::")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, or one of them is what everybody waits for at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/contract/trust/"))
