# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names: which are valid, and which known one is nearest to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

ADDON_LENGTH = 53
"""Helm's limit for release names; the add-on's name is the default release name."""
NAMESPACE_LENGTH = 63
CLUSTER_LENGTH = 40
"""Leaves room for the prefixes of record and Lease names."""


def nearest(name: object, known: Iterable[str]) -> str:
    """The known name most like ``name``, or an empty string when none is like it."""
    if not isinstance(name, str):
        return ""
    candidates = sorted(set(known))
    by_fold = {candidate.lower().replace("_", "-"): candidate for candidate in candidates}
    fold = name.lower().replace("_", "-")
    found = difflib.get_close_matches(fold, by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else ""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Advice that names the nearest known name, or an empty string."""
    best = nearest(name, known)
    return f"did you mean {best!r}?" if best else ""


def label_problem(name: str, length: int) -> str:
    """What keeps ``name`` from being a DNS label of at most ``length`` characters; empty when nothing does."""
    if not name:
        return "is empty"
    if len(name) > length:
        return f"has {len(name)} characters, {length} are allowed"
    if not LABEL.fullmatch(name):
        return "may hold only lower-case letters, digits and '-', and must begin and end with a letter or digit"
    return ""


def label_suggestion(name: str, length: int) -> str:
    """``name`` bent into a DNS label, or an empty string when nothing is left of it."""
    bent = re.sub(r"[^a-z0-9-]+", "-", name.lower())[:length].strip("-")
    return f"for example {bent!r}" if bent else ""
