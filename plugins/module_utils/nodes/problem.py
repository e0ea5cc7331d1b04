# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with nodes, hosts or Kubespray's variables: one shape for preflight, plan and guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem weighs. Only an ``ERROR`` keeps a run from beginning."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True)
class Problem:
    """``code`` is stable and has a page in docs/errors. ``message`` says what is wrong, ``remedy`` what to do.

    ``where`` is ``file:line:column``, or the source of a value that has no file (``extra variables``), or a group.
    ``host`` is the inventory name of the host that it was found on; empty for the cluster as a whole.
    """

    code: str
    message: str
    remedy: str = ""
    where: str = ""
    host: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = self.where or self.host
        return (
            (f"{place}: " if place else "")
            + f"{self.code} {self.message}"
            + (f" ({self.remedy})" if self.remedy else "")
        )

    def as_dict(self) -> dict[str, str]:
        """For JSON and results of tasks."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "remedy": self.remedy,
            "where": self.where,
            "host": self.host,
        }


class NodesError(Exception):
    """One or more problems that a run cannot begin or go on with, all of them at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)

    @property
    def counted(self) -> str:
        """How many there are, and then each on a line of its own."""
        count = f"{len(self.problems)} error{'s' if len(self.problems) > 1 else ''}:"
        return "\n  ".join([count, *(str(problem) for problem in self.problems)])
