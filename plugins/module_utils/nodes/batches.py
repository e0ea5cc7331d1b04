# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How many nodes are worked on at the same time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .problem import NodesError, Problem

_SIZE = re.compile(r"(?P<number>\d+)(?P<percent>%?)")


def batch_size(given: object, total: int, *, variable: str) -> int:
    """A number, or a percentage of ``total``, rounded up: 20% of 3 is 1, and no percentage of anything is 0.

    Raises ``NodesError`` SLW-8420 for anything else.
    """
    found = None if isinstance(given, bool) else _SIZE.fullmatch(str(given).strip())
    number = int(found["number"]) if found else 0
    if found is None or number < 1:
        remedy = "give a number from 1, or a percentage from 1%"
        raise NodesError([Problem("SLW-8420", f"{variable} is {given!r}", remedy)])
    wanted = math.ceil(total * number / 100) if found["percent"] else number
    return max(1, min(wanted, total))


def batches(names: Sequence[str], given: object, *, variable: str) -> list[list[str]]:
    """The names in their order, as many at a time as ``batch_size`` says."""
    size = batch_size(given, len(names), variable=variable)
    return [list(names[start : start + size]) for start in range(0, len(names), size)]
