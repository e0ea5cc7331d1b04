# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What runs on nodes that are to go: pods without a place, pods that nobody makes again, volumes that go with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .placement import Room, bound_nodes, requests
from .pods import Fate, budgets_of, claims_of, fate, node_of, pod_name
from .problem import Problem, Severity

Json = dict[str, Any]


def pod_problems(
    leaving: Sequence[str],
    *,
    nodes: Sequence[Json],
    pods: Sequence[Json],
    volumes: Sequence[Json],
    claims: Sequence[Json],
    budgets: Sequence[Json],
    consented: frozenset[str],
    unreachable: frozenset[str],
    where: str,
) -> list[Problem]:
    """``consented``: nodes whose data may be lost; ``unreachable``: those whose pods cannot be ended gently."""
    here = [pod for pod in pods if node_of(pod) in leaving]
    moving = [pod for pod in here if fate(pod) is Fate.MOVES]
    by_claim = volumes_by_claim(volumes, claims)
    staying = [node for node in nodes if node["metadata"]["name"] not in leaving]
    bound = list(_bound(leaving, nodes, volumes))
    lost_names = {volume["metadata"]["name"] for volume, _node in bound}
    problems = [_lost(volume, node, where) for volume, node in bound if node not in consented]
    for pod in here:
        node = node_of(pod)
        if fate(pod) is Fate.BARE and node not in consented:
            message = f"pod {pod_name(pod)} on {node} has no controller: nobody makes it again"
            problems.append(Problem("SLW-8411", message, _consent(node), where, node))
    # A pod that waits for a lost volume is told of with the volume.
    free = [p for p in moving if not lost_names & {_volume_name(p, claim, by_claim) for claim in claims_of(p)}]
    problems += _without_place(free, staying, pods, by_claim, where)
    problems += _budgets([p for p in moving if node_of(p) not in unreachable], budgets, where)
    return problems


def budget_warnings(nodes: Collection[str], pods: Sequence[Json], budgets: Sequence[Json]) -> list[Problem]:
    """PodDisruptionBudgets that will hold up the drains of an upgrade. Kubespray does these, by its own settings."""
    moving = [pod for pod in pods if node_of(pod) in nodes and fate(pod) is Fate.MOVES]
    return [replace(problem, severity=Severity.WARNING) for problem in _budgets(moving, budgets, "")]


def volumes_by_claim(volumes: Sequence[Json], claims: Sequence[Json]) -> dict[str, Json]:
    """Volumes by ``namespace/claim``."""
    by_name = {volume["metadata"]["name"]: volume for volume in volumes}
    found = {}
    for claim in claims:
        meta, volume = claim["metadata"], by_name.get((claim.get("spec") or {}).get("volumeName") or "")
        if volume is not None:
            found[f"{meta['namespace']}/{meta['name']}"] = volume
    return found


def _bound(leaving: Sequence[str], nodes: Sequence[Json], volumes: Sequence[Json]) -> Iterator[tuple[Json, str]]:
    """Volumes in use that can be had on none but the nodes that go, each with one of these."""
    for volume in volumes:
        on = bound_nodes(volume, nodes) if (volume.get("spec") or {}).get("claimRef") else []
        if on and set(on) <= set(leaving):
            yield volume, on[0]


def _lost(volume: Json, node: str, where: str) -> Problem:
    claim = volume["spec"]["claimRef"]
    whose = f"{claim['namespace']}/{claim['name']}"
    message = f"volume {volume['metadata']['name']} of the claim {whose} is on {node} alone"
    return Problem("SLW-8410", message, _consent(node), where, node)


def _without_place(
    pods: Sequence[Json], staying: Sequence[Json], every: Sequence[Json], by_claim: Mapping[str, Json], where: str
) -> Iterator[Problem]:
    room = Room(staying, every, by_claim)
    alone = []
    for pod in pods:
        reason = room.nowhere(pod)
        if reason:
            message = f"pod {pod_name(pod)} on {node_of(pod)} has nowhere to go: {reason}"
            remedy = "add a node that fits it, or scale its owner down"
            yield Problem("SLW-8412", message, remedy, where, node_of(pod))
        else:
            alone.append(pod)
    # Each would find a place by itself. Together they are put one by one, largest first; the scheduler may do better.
    for pod in sorted(alone, key=lambda pod: requests(pod).get("memory", 0.0), reverse=True):
        reason = room.nowhere(pod, take=True)
        if reason:
            message = f"pod {pod_name(pod)} on {node_of(pod)} may have to wait: beside the others that move, {reason}"
            remedy = "add a node, or remove fewer at a time"
            yield Problem("SLW-8412", message, remedy, where, node_of(pod), Severity.WARNING)


def _budgets(pods: Sequence[Json], budgets: Sequence[Json], where: str) -> list[Problem]:
    problems: dict[str, Problem] = {}
    for pod in pods:
        found = budgets_of(pod, budgets)
        if len(found) > 1:
            names = ", ".join(sorted(budget["metadata"]["name"] for budget in found))
            message = f"pod {pod_name(pod)} falls under several PodDisruptionBudgets ({names}): it cannot be evicted"
            remedy = "leave it under one of them"
            problems[pod_name(pod)] = Problem("SLW-8414", message, remedy, where, node_of(pod))
        for budget in found:
            name = f"{budget['metadata']['namespace']}/{budget['metadata']['name']}"
            status = budget.get("status") or {}
            if status.get("disruptionsAllowed", 0) > 0:
                continue
            has, wants = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
            expected = status.get("expectedPods", 0)
            never = has >= expected
            message = f"PodDisruptionBudget {name} lets no pod go now ({has} of {expected} healthy, {wants} wanted)"
            remedy = (
                "give it more pods or a smaller minAvailable" if never else "the drain waits until its pods are healthy"
            )
            severity = Severity.ERROR if never else Severity.WARNING
            problems.setdefault(name, Problem("SLW-8414", message, remedy, where, node_of(pod), severity))
    return list(problems.values())


def _volume_name(pod: Json, claim: str, by_claim: Mapping[str, Json]) -> str:
    volume = by_claim.get(f"{pod['metadata']['namespace']}/{claim}")
    return "" if volume is None else str(volume["metadata"]["name"])


def _consent(node: str) -> str:
    return f"save what is needed, then give -e slipway_remove_node_data={node}"
