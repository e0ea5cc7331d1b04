# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names in AWX that two things would have: what is made later would be written over the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..nodes.problem import Problem
from . import fleet, naming, new_cluster
from .definitions import of_clusters
from .settings import Settings, Survey
from .shape import Places

_KINDS = {
    "inventories": "inventory",
    "inventory_sources": "inventory source",
    "job_templates": "job template",
    "schedules": "schedule",
    "workflows": "workflow",
}
"""What has a name of its own. Hosts and groups are told apart by their inventory."""


def check(settings: Settings, operations: Sequence[Survey], places: Places) -> Iterator[Problem]:
    """One problem for each cluster that cannot have its names.

    What all clusters share counts as taken where it is not made as well: a job that makes a new cluster knows neither
    whether the team has a fleet nor which clusters.
    """
    taken = {
        ("inventories", naming.controller(settings)): "that of jobs that need no host",
        ("job_templates", fleet.template_name(settings)): "that of the fleet",
        ("job_templates", new_cluster.template_name(settings)): "the one for new clusters",
    }
    for place, cluster in enumerate(settings.given["clusters"]):
        made = of_clusters(settings, [cluster], operations)
        names = [(kind, item["name"]) for kind in _KINDS for item in made[kind]]
        for kind, name in names:
            if (kind, name) in taken:
                text = f"{cluster['name']} would have the {_KINDS[kind]} {name!r}, which is {taken[kind, name]}"
                remedy = "give the cluster another name, or slipway_awx.names another pattern"
                where = places(("clusters", place, "name"))
                yield Problem("SLW-9002", f"slipway_awx.clusters[{place}]: {text}", remedy, where)
                break
        taken.update(dict.fromkeys(names, f"that of {cluster['name']}"))
