# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The preflight's findings as plain data, for a file and for whoever started the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..nodes.problem import Problem
from .preflight_text import counted


def preflight_dict(
    problems: Sequence[Problem], *, name: str, kubespray: str, hosts: Sequence[str], titles: Mapping[str, str]
) -> dict[str, Any]:
    """``kubespray`` is the installed version, empty for none; ``hosts`` those that were looked at."""
    return {
        "apiVersion": "slipway.cluster/v1",
        "kind": "Preflight",
        "cluster": name,
        "kubespray": kubespray,
        "hosts": sorted(hosts),
        "counts": counted(problems),
        "findings": [{**problem.as_dict(), "title": titles.get(problem.code, "")} for problem in problems],
    }
