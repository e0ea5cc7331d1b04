# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Python's garbage collector, for a process that builds much and lives briefly."""

from __future__ import annotations

import gc

_MANY = 500_000
"""Objects made before it looks again; 700 by default. Charts of twenty add-ons are half a million, and none goes."""


def calm() -> None:
    """What is there stays, and new objects are looked at seldom: a quarter of the CPU time of a plan."""
    gc.freeze()
    gc.set_threshold(_MANY, 20, 100)
