# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The type that a variable is meant to have, guessed from its default."""

from __future__ import annotations

ANY = "any"


def guess(value: object) -> str:
    """``bool``, ``int``, ``float``, ``str``, ``list``, ``dict``, or ``any`` when the default does not tell.

    A template may become anything, and an empty text or null often stands for "not set".
    """
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return ANY if not value or "{{" in value or "{%" in value else "str"
    for kind in (int, float, list, dict):
        if isinstance(value, kind):
            return kind.__name__
    return ANY
