# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All steps of the real lab were done, and nothing of it is left on the machine. What holds in each, the lab says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lab.real import ground

STEP = re.compile(r"^ *\d+\.\d s  (?P<name>.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def told() -> str:
    return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "steps.txt").read_text(encoding="utf-8")


def test_every_operation_was_run(told: str) -> None:
    assert "FAILED" not in told
    names = [match["name"] for match in STEP.finditer(told)]
    assert re.search(rf"^lab\.real: {len(names)} steps, 0 failed", told, re.MULTILINE)
    for operation in ("install", "scale", "upgrade", "remove"):
        assert any(operation in name for name in names), operation
    assert any(name.startswith("nobody logged in to") for name in names)
    assert any(name.startswith("nothing of the cluster is left on") for name in names)


def test_nothing_is_left() -> None:
    assert not ground.folder("molecule").exists()
