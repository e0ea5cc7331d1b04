# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The status of nodes and cluster, as text and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..nodes.claim import Claim
from ..nodes.model import ETCD
from ..nodes.plan import Action
from ..nodes.status import NodeStatus, Status
from .nodes_text import SIGNS


def status_lines(status: Status, *, verbose: bool = False) -> Iterator[str]:
    """One line for the cluster, what is to be known of it, and one line for each node of which there is something to be
    said; ``verbose``: for each node."""
    yield f"NODES {status.name}  {'  '.join(_cluster(status))}  result: {status.result}"
    if status.found.claim is not None:
        goes_on = "" if status.found.claim.holds else "; the next one goes on from there"
        yield f"! cluster  {status.found.claim}{goes_on}"
    for reason in status.reasons:
        yield f"! cluster  {reason}"
    shown = [node for node in status.nodes if verbose or (_told_each(status) and node.remarkable)]
    name = min(24, max((len(node.name) for node in shown), default=0))
    roles = max((len("+".join(node.roles)) for node in shown), default=0)
    for node in shown:
        yield _line(node, name, roles, answers=_told_each(status))
    quiet = len(status.nodes) - len(shown)
    if quiet:
        yield f"{_folded(status, quiet)} (-v shows them)"
    for problem in status.problems:
        yield f"! {problem}"


def _folded(status: Status, quiet: int) -> str:
    if not status.found.there:
        return f"+ {quiet} of the inventory would join"
    return f"= {quiet} in order" if status.answers else f"? {quiet} in the inventory"


def _told_each(status: Status) -> bool:
    """Where nothing is known of a node but its name, it need not be told one by one."""
    return status.found.there and status.answers


def _cluster(status: Status) -> Iterator[str]:
    found = status.found
    if not found.there:
        yield "there is no cluster yet"
    elif not status.answers:
        yield "the API does not answer"
    if found.server:
        yield f"Kubernetes {found.server}"
    yield _kubespray(status)
    if status.answers and found.there:
        yield _built(status) or "no record"
        yield f"{len(status.nodes)} nodes: {', '.join(_counted(status)) or 'none'}"


def _kubespray(status: Status) -> str:
    record, installed = status.found.record, status.found.installed
    here = f"{installed} installed" if installed else "none installed"
    if record is None or not record.kubespray:
        return f"Kubespray: {here}"
    return f"Kubespray {record.kubespray}" + ("" if record.kubespray == installed else f" ({here})")


def _built(status: Status) -> str:
    if status.found.record is None:
        return ""
    return "adopted" if status.found.record.adopted else "built by Slipway"


def counts(status: Status) -> dict[str, int]:
    """By what is to be known of nodes, and by what a plan would do with them. Nothing is counted that is not there."""
    here = [node.node for node in status.nodes if node.node is not None]
    found = {
        "Ready": sum(node.ready for node in here),
        "not Ready": sum(not node.ready for node in here),
        "cordoned": sum(node.cordoned for node in here),
        "skewed": sum(bool(node.skew) for node in status.nodes),
    }
    actions = Counter(node.action for node in status.nodes if node.planned)
    found.update({action.value: actions[action] for action in Action})
    return {what: number for what, number in found.items() if number}


def _counted(status: Status) -> list[str]:
    return [f"{number} {what}" for what, number in counts(status).items()]


def _line(node: NodeStatus, name: int, roles: int, *, answers: bool) -> str:
    live = node.node
    state = "-" if live is None else "Ready" if live.ready else "not Ready"
    columns = (
        f"{_sign(node)} {node.name:<{name}}",
        f"{'+'.join(node.roles) or '-':<{roles}}",
        f"{state:<9}",
        f"{(live.kubelet if live else '') or '-':<8}",
        f"{(live.addresses[0] if live and live.addresses else '-'):<15}",
        "; ".join(_notes(node)) if answers else "",
        node.where if node.planned and answers else "",
    )
    return "  ".join(columns).rstrip()


def _sign(node: NodeStatus) -> str:
    if node.node is not None and not node.ready:
        return "!"
    if node.action is None:
        return "?"
    return SIGNS[node.action] if node.planned else "!" if node.remarkable else "="


def _notes(node: NodeStatus) -> Iterator[str]:
    live = node.node
    if live is not None and not live.ready:
        yield f"{live.reason} since {live.since}" if live.since else live.reason
    if live is not None and live.cordoned:
        yield "cordoned"
    if live is None and node.roles == (ETCD,):
        yield "etcd alone: no node of the API"
    if node.skew:
        yield f"kubelet: {node.skew}"
    if node.action and node.planned:
        yield f"{node.action.value}: {'; '.join(node.reasons)}"


def status_dict(status: Status) -> dict[str, Any]:
    """For JSON and ``set_stats``."""
    found = status.found
    return {
        "name": status.name,
        "result": status.result,
        "there": found.there,
        "answers": status.answers,
        "kubernetes": found.server,
        "kubespray": {"recorded": found.record.kubespray if found.record else "", "installed": found.installed},
        "recorded": found.record is not None,
        "adopted": bool(found.record and found.record.adopted),
        "run": _claim(found.claim),
        "reasons": list(status.reasons),
        "counts": counts(status),
        "nodes": [_node(node) for node in status.nodes],
        "problems": [problem.as_dict() for problem in status.problems],
    }


def _claim(claim: Claim | None) -> dict[str, Any]:
    """Of a run that works, or of one that died; empty where there is none, or nobody looked."""
    if claim is None:
        return {}
    return {
        "holder": claim.holder,
        "operation": claim.operation,
        "stage": claim.stage,
        "since": claim.began,
        "remaining": claim.remaining,
        "holds": claim.holds,
    }


def _node(node: NodeStatus) -> dict[str, Any]:
    live = node.node
    return {
        "name": node.name,
        "roles": list(node.roles),
        "joined": live is not None,
        "ready": bool(live and live.ready),
        "reason": live.reason if live and not live.ready else "",
        "since": live.since if live else "",
        "kubelet": live.kubelet if live else "",
        "skew": node.skew,
        "cordoned": bool(live and live.cordoned),
        "addresses": list(live.addresses) if live else [],
        "action": node.action.value if node.action else "unknown",
        "reasons": list(node.reasons),
        "where": node.where,
    }
