# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of a fleet as data: for files, pipelines and AWX artifacts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..fleet.cluster import Cluster, Count, Fleet


def fleet_dict(fleet: Fleet) -> dict[str, Any]:
    return {
        "result": fleet.result,
        "looked": fleet.looked,
        "seconds": round(fleet.seconds, 1),
        "counts": dict(fleet.counts),
        "clusters": [_cluster(one) for one in fleet.clusters],
    }


def fleet_stats(fleet: Fleet) -> dict[str, Any]:
    """What fits into a job's artifacts whatever the size of the fleet: a few words for each cluster."""
    return {
        "result": fleet.result,
        "looked": fleet.looked,
        "counts": dict(fleet.counts),
        "clusters": {one.name: _short(one) for one in fleet.clusters},
    }


def _cluster(one: Cluster) -> dict[str, Any]:
    return {
        **asdict(one),
        "nodes": _count(one.nodes, "ready"),
        "addons": _count(one.addons, "healthy"),
        "lives": [dict(life) for life in one.lives],
        "conditions": sorted(one.conditions),
    }


def _count(count: Count | None, good: str) -> dict[str, int] | None:
    return {good: count.good, "total": count.total} if count else None


def _short(one: Cluster) -> dict[str, Any]:
    first = one.first_end
    return {
        "result": one.result,
        "answered": one.answered,
        "kubernetes": one.kubernetes,
        "nodes": str(one.nodes or ""),
        "addons": str(one.addons or ""),
        "changes": one.changes,
        "drift": len(one.drift),
        "behind": len(one.behind),
        "ends": first["ends"] if first else "",
        "failure": str(one.failure or ""),
    }
