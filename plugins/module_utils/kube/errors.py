# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The typed errors of API access. Nothing above this room sees a urllib3 or ssl exception."""

from __future__ import annotations

import json
from dataclasses import dataclass


class KubeError(Exception):
    """Base: a stable code and one sentence."""

    def __init__(self, code: str, message: str, advice: str = "") -> None:
        super().__init__(f"{code} {message}" + (f" ({advice})" if advice else ""))
        self.code = code
        self.message = message
        self.advice = advice


class AccessError(KubeError):
    """The cluster's address or credential is missing or unusable (SLW-6101)."""


class UnreachableError(KubeError):
    """No answer from the API server within the time that retries are given (SLW-6102)."""


class StoppedError(KubeError):
    """The run must not write any more: its parent died or its lock was lost (SLW-6103)."""


class CredentialError(StoppedError):
    """The API server does not accept our credential (any more), and there is no newer one (SLW-6105)."""


class UnsupportedError(KubeError):
    """The API server lacks what this collection needs (SLW-6106)."""


@dataclass(frozen=True)
class Cause:
    """One entry of ``status.details.causes``."""

    reason: str
    field: str
    message: str


class ApiError(KubeError):
    """The API server answered with an error status.

    ``status`` is the HTTP status, ``reason`` the API's own (``Conflict``, ``Invalid``, …).
    """

    def __init__(self, status: int, reason: str, message: str, causes: tuple[Cause, ...], request: str) -> None:
        super().__init__("SLW-6104", f"{request}: {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.api_message = message
        self.causes = causes
        self.request = request

    @property
    def field_conflicts(self) -> tuple[Cause, ...]:
        return tuple(c for c in self.causes if c.reason == "FieldManagerConflict")

    @property
    def webhook_unavailable(self) -> bool:
        return self.status == 500 and "failed calling webhook" in self.api_message


def api_error(status: int, raw: bytes, request: str) -> ApiError:
    """An answer with an error status, read."""
    try:
        body = json.loads(raw)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    details = body.get("details") or {}
    causes = tuple(
        Cause(str(c.get("reason", "")), str(c.get("field", "")), str(c.get("message", "")))
        for c in details.get("causes") or []
    )
    message = str(body.get("message") or raw[:300].decode(errors="replace"))
    return ApiError(status, str(body.get("reason") or ""), message, causes, request)
