# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which of two chart versions is the older one: semantic versions, read as Helm reads them."""

from __future__ import annotations

import re

_VERSION = re.compile(
    r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_Key = tuple[int, int, int, bool, list[tuple[bool, int, str]]]


def is_behind(version: str, offered: str) -> bool:
    """Whether ``version`` is older than ``offered``. Of what is no version nothing can be said: False."""
    mine, theirs = _key(version), _key(offered)
    return mine is not None and theirs is not None and mine < theirs


def _key(text: str) -> _Key | None:
    """``v1.2`` is 1.2.0; what comes after a plus does not count; 1.0.0-rc.2 < 1.0.0-rc.10 < 1.0.0."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    major, minor, patch, before = found.groups()
    parts = [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in (before or "").split(".")]
    return int(major), int(minor or 0), int(patch or 0), not before, parts
