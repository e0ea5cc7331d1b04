# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The guard against tests that silently stop running."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run import unlisted_skips

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = """
import pytest

def test_runs():
    pass

def test_skips():
    pytest.skip("no helm here")

@pytest.mark.skip(reason="later")
def test_marked():
    pass

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    raise ValueError
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_kind_of_skip_is_written_down_once(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE, encoding="utf-8")
    (tmp_path / "test_module.py").write_text(
        "import pytest\n\npytest.importorskip('no_such_thing')\n", encoding="utf-8"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    log = tmp_path / "skips.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "SLIPWAY_SKIP_LOG": str(log)}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "-n", workers], cwd=tmp_path, env=environment, check=True
    )
    assert sorted(log.read_text(encoding="utf-8").splitlines()) == [
        "test_module.py: could not import 'no_such_thing': No module named 'no_such_thing'",
        "test_sample.py::test_expected_to_fail: known",
        "test_sample.py::test_marked: later",
        "test_sample.py::test_skips: no helm here",
    ]


def test_a_skip_is_allowed_by_its_line_alone() -> None:
    skips = ["a.py::test_x[1]: no helm", "a.py::test_y: no helm", "b.py::test_z: no python3.12 in /somewhere"]
    assert unlisted_skips(skips, []) == skips
    assert unlisted_skips(skips, ["a.py::test_x[1]: no helm", "b.py::*: no python3.12 in *"]) == [
        "a.py::test_y: no helm"
    ]
    assert unlisted_skips(skips, ["*: no"]) == skips
