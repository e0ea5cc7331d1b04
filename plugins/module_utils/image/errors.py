# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The typed error of images. This room runs on hosts, on Python 3.8 and without other packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """``code`` is stable and has a page in docs/errors; ``message`` says what is wrong, ``remedy`` what to do."""

    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.message}" + (f" ({self.remedy})" if self.remedy else "")


class ImageError(Exception):
    """One or more problems that keep a host from becoming an image, all of them at once."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems: Sequence[Problem] = problems

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {"code": self.problems[0].code, "problems": [problem._asdict() for problem in self.problems]}
