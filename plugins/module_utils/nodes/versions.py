# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Versions of Kubernetes, compared as numbers: 1.9 comes before 1.10."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@total_ordering
@dataclass(frozen=True)
class Version:
    """``before`` is what stands after the dash of a version that is not out yet (``rc.1``); empty for one that is."""

    major: int
    minor: int
    patch: int
    before: str = ""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.before}" if self.before else "")

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[int, int, int, bool, list[tuple[bool, int, str]]]:
        parts = [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in self.before.split(".")]
        return self.major, self.minor, self.patch, not self.before, parts

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor: what patches share."""
        return self.major, self.minor


def parse(text: str) -> Version | None:
    """``1.35.4``, ``v1.35.4``, ``v1.36.0-rc.1``, ``v1.35.4+vendor.1``; None for anything else."""
    found = _VERSION.fullmatch(text.strip())
    return Version(int(found[1]), int(found[2]), int(found[3]), found[4] or "") if found else None


def minors_between(old: Version, new: Version) -> int | None:
    """How many minor versions lie from one to the other; None across majors."""
    return new.minor - old.minor if old.major == new.major else None
