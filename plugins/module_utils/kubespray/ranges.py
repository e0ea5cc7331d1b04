# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Versions and ranges of versions, as collections write them: ``>=2.18.0,<2.19.0``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

Version = tuple[int, ...]

_COMPARE: dict[str, Callable[[Version, Version], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_ONE = re.compile(r"(>=|<=|==|!=|>|<)?\s*v?([0-9][0-9A-Za-z.+-]*)")


def parse(version: str) -> Version:
    """The numbers of ``version``, without trailing zeros; what follows the numbers (``rc1``, ``.dev0``) is left out."""
    numbers = []
    for part in version.strip().removeprefix("v").split("."):
        digits = re.match(r"\d+", part)
        if digits is None:
            break
        numbers.append(int(digits[0]))
        if digits[0] != part:
            break
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def fits(version: str, wanted: str) -> bool:
    """Whether ``version`` lies in the range ``wanted``. An empty range, ``*``, and what cannot be read fit all."""
    mine = parse(version)
    for part in wanted.split(","):
        found = _ONE.fullmatch(part.strip())
        if found and not _COMPARE[found[1] or "=="](mine, parse(found[2])):
            return False
    return True
