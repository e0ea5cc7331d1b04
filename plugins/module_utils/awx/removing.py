# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is to go from AWX: everything, or what belongs to clusters that are named."""

from __future__ import annotations

from collections.abc import Sequence

from ..nodes.problem import Problem
from .definitions import ORDER, Definitions, make, of_clusters
from .new_cluster import Stack
from .settings import Settings, Survey


def taken_out(
    settings: Settings, operations: Sequence[Survey], stacks: Sequence[Stack], consent: Sequence[str]
) -> tuple[Definitions, list[Problem]]:
    """``consent``: the prefix for all of it, or names of clusters that the settings no longer have."""
    if list(consent) == [settings.prefix]:
        return make(settings, operations, stacks), []
    wanted = {one["name"] for one in settings.given["clusters"]}
    problems = [
        Problem(
            "SLW-9005",
            f"slipway_remove_awx names {name!r}",
            f"{settings.prefix!r} alone removes everything; a cluster is taken out of slipway_awx.clusters first",
        )
        for name in consent
        if name == settings.prefix or name in wanted
    ]
    if problems:
        return {kind: [] for kind in ORDER}, problems
    # Its inventory may have been in the project or not: a source that is not there is none to remove.
    return of_clusters(settings, [{"name": name, "inventory": name} for name in consent], operations), []
