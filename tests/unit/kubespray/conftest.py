# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the tests of what the installed Kubespray accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kubespray.small import make_collection


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return make_collection(tmp_path, "2.99.0")
