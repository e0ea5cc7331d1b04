# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the access tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hosts.model import Host
from tests.contract.trust.support import Access


@pytest.fixture
def access(lab_env: dict[str, Any], tmp_path: Path) -> Iterator[Access]:
    """A cluster whose authority is prepared, with a certificate in the agent, and no hosts yet."""
    one = Access(lab_env, tmp_path)
    try:
        one.prepare()
        yield one
    finally:
        one.remove()


@pytest.fixture
def host(access: Access) -> Host:
    """A host that knows a static key only."""
    return access.host()
