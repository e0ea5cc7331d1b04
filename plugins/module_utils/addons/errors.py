# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The typed errors of the add-on engine. Shells catch ``EngineError`` once."""

from __future__ import annotations

from collections.abc import Iterable

from .finding import Finding, errors


class EngineError(Exception):
    """Base: a stable code, one sentence of what went wrong, and what to do about it."""

    def __init__(self, code: str, message: str, advice: str = "") -> None:
        super().__init__(f"{code} {message}" + (f" ({advice})" if advice else ""))
        self.code = code
        self.message = message
        self.advice = advice


class FindingsError(EngineError):
    """The input is wrong: carries every finding, not just the first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = errors(findings)
        many = len(self.findings)
        code = self.findings[0].code if many == 1 else "SLW-1000"
        lines = "\n".join(f"  {finding}" for finding in self.findings)
        super().__init__(code, f"{many} {'error' if many == 1 else 'errors'}, nothing was changed:\n{lines}")

    def __str__(self) -> str:
        # Every line has its own code already.
        return self.message


class RenderError(EngineError):
    """A source could not be turned into objects (SLW-2xxx)."""


class OwnershipError(EngineError):
    """An object on the cluster belongs to somebody else (SLW-3xxx)."""


class ActError(EngineError):
    """A change could not be carried out or did not become ready (SLW-4xxx)."""


class ConsentError(EngineError):
    """A destructive step lacks its consent variable (SLW-5xxx)."""


class LockError(EngineError):
    """Somebody else holds the cluster's lock, or ours was lost (SLW-6xxx)."""
