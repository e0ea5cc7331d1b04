# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How a request is turned down."""

from __future__ import annotations

from typing import Any


class RefusalError(Exception):
    """An HTTP status of 400 or more, and the JSON that goes with it."""

    def __init__(self, status: int, content: dict[str, Any]) -> None:
        super().__init__(f"{status}: {content}")
        self.status = status
        self.content = content


def invalid(**problems: str | list[str]) -> RefusalError:
    """Fields that cannot be taken, each with what is wrong about it."""
    return RefusalError(400, {name: [text] if isinstance(text, str) else text for name, text in problems.items()})


def missing() -> RefusalError:
    """There is no such thing."""
    return RefusalError(404, {"detail": "Not found."})
