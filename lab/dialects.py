# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the fault proxy says in a server's place, in the words of that server."""

from __future__ import annotations

from collections.abc import Callable

Refusal = Callable[[int, str], object]

REASONS = {
    401: "Unauthorized",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
    409: "Conflict",
    403: "Forbidden",
}
BAO_MESSAGES = {
    # The short text: a token that is dead. A policy that refuses says "1 error occurred:..." instead.
    403: "permission denied",
    429: "request path: rate limit quota exceeded",
    503: "Vault is sealed",
}


def kubernetes(status: int, message: str) -> object:
    """A Status object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message or "ordered by the lab's fault proxy",
        "reason": REASONS.get(status, "Unknown"),
        "code": status,
    }


def bao(status: int, message: str) -> object:
    """A list of errors."""
    return {"errors": [message or BAO_MESSAGES.get(status, "ordered by the lab's fault proxy")]}


DIALECTS: dict[str, Refusal] = {"kubernetes": kubernetes, "bao": bao}
