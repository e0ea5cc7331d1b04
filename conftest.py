# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Writes down every skipped test, for tests/ and for the verifiers of molecule/ alike.

``tests/run.py`` names the file and compares it with ``tests/allowed_skips.txt``: a test that silently stopped
running must not look like one that passed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
