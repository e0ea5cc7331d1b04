# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at nodes and cluster for their status. What cannot be looked at is told beside what can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import READER
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import by_name
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.names import Names
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Record, Store
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.status import Found, Status, status

from . import inventory_nodes
from .cluster_status import PATIENCE
from .node_lock import NodeLock
from .node_planner import NO_ANSWER, Planner, unanswered, version


def take(planner: Planner, lock: NodeLock, variables: Mapping[str, Any]) -> Status:
    """With a reader's rights; of hosts the first control plane host alone is asked, and that only where the API is
    reached by way of it."""
    problems: list[Problem] = []
    index = _index(planner, problems)
    found = Found(installed=index.version if index else "")
    if planner.by_host:
        try:
            found = replace(found, there=lock.cluster_is_there(), claim=lock.claim)
        except NodesError as exc:
            problems += exc.problems
    hosts = inventory_nodes.read(variables, index)
    if found.there:
        found = _by_api(planner, lock, found, problems)
    if found.live is not None:
        objects = Names.of(hosts, found.record).nodes(found.objects)
        found = replace(found, live=by_name(objects), objects=objects)
    marks, wrong = planner.marks(hosts, found.record)
    return status(planner.wanted(hosts, found.installed), replace(found, problems=(*problems, *wrong)), marks)


def _index(planner: Planner, problems: list[Problem]) -> Index | None:
    """Without an installed Kubespray nodes are compared, and their variables are not."""
    try:
        return planner.index()
    except NodesError as exc:
        problems += [replace(problem, severity=Severity.WARNING) for problem in exc.problems]
        return None


def _by_api(planner: Planner, lock: NodeLock, found: Found, problems: list[Problem]) -> Found:
    try:
        with planner.client(READER, PATIENCE) as client:
            nodes = client.list(NODE.collection())
            found = replace(found, live=by_name(nodes), objects=nodes, server=version(client))
            record = Store(client, planner.namespace).read()
    except NodesError as exc:
        # A record that cannot be read. What it holds cannot be told, and nodes are there.
        problems += exc.problems
        record = None
    except KubeError as exc:
        problems.append(unanswered(exc) if exc.code == NO_ANSWER else Problem(exc.code, exc.message, exc.advice))
        return found
    if record is None and lock.half_built:
        # Runs of ours made the cluster, and died before they wrote a record.
        record = Record(planner.name)
    return replace(found, record=record)
