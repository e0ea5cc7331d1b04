# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The typed errors of the SSH session. They cross from the agent's process to Ansible's as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SessionError(Exception):
    """Base: a stable code, one sentence, and what to do."""

    def __init__(self, code: str, message: str, advice: str = "") -> None:
        super().__init__(f"{code} {message}" + (f" ({advice})" if advice else ""))
        self.code = code
        self.message = message
        self.advice = advice

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "advice": self.advice}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> SessionError:
        return SessionError(str(data["code"]), str(data["message"]), str(data.get("advice") or ""))


class SettingsError(SessionError):
    """What ``slipway_ssh`` says cannot be used (SLW-70xx). Found before anything is asked or started."""


class ProviderError(SessionError):
    """The certificate authority gave no certificate (SLW-71xx).

    ``passes``: whether waiting may help (nobody answers, sealed, too many requests), so that the same request is
    worth another attempt.
    """

    def __init__(self, code: str, message: str, advice: str = "", *, passes: bool = False) -> None:
        super().__init__(code, message, advice)
        self.passes = passes
