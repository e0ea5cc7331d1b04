# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ACTIVE = ("new", "pending", "waiting", "running")
TOO_LONG = "Job terminated due to timeout"


@dataclass(frozen=True)
class Outcome:
    """``values``: fields of the run that its end decides."""

    status: str
    explanation: str = ""
    traceback: str = ""
    values: dict[str, Any] = field(default_factory=dict)


class CanceledError(Exception):
    """Somebody has canceled the run."""
