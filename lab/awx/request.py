# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A request as the views get it, and their answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lab.awx.refusal import RefusalError
from lab.awx.store import Object


@dataclass(frozen=True)
class Request:
    """``path`` with its slashes; ``user``: who sent it."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    user: Object

    @property
    def writes(self) -> bool:
        return self.method in ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Answer:
    """``content`` None: no body. A string is sent as it is, everything else as JSON."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def not_allowed(request: Request) -> RefusalError:
    return RefusalError(405, {"detail": f'Method "{request.method}" not allowed.'})
