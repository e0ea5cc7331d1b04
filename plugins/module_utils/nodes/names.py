# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes by the names of their hosts: with ``kube_override_hostname`` the API has another name than the inventory.

Plans, guards and messages know hosts alone, for these are what the user writes. What the API says is told in their
names before anybody looks at it, and what is asked of the API is asked in its own. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..kube.objects import Json
from .model import Desired
from .problem import Problem
from .record import Record

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True)
class Names:
    """``hosts``: by node, of those whose two names differ."""

    hosts: Mapping[str, str]

    @classmethod
    def of(cls, hosts: Iterable[Desired], record: Record | None) -> Names:
        """The record knows of hosts that the inventory no longer has."""
        recorded = {host.override: name for name, host in record.hosts.items() if host.override} if record else {}
        return cls(recorded | {host.override: host.name for host in hosts if host.override})

    def host(self, node: str) -> str:
        """Its own name for a node of no host, but where a host whose node is another one is called so."""
        if node in self.hosts:
            return self.hosts[node]
        return f"node/{node}" if node in self.hosts.values() else node

    def keys(self, values: Mapping[str, str]) -> dict[str, str]:
        """``values`` by node, by host."""
        return {self.host(node): value for node, value in values.items()}

    def nodes(self, objects: Iterable[Json]) -> list[Json]:
        if not self.hosts:
            return list(objects)
        return [{**one, "metadata": {**one["metadata"], "name": self.host(one["metadata"]["name"])}} for one in objects]

    def pods(self, objects: Iterable[Json]) -> list[Json]:
        """With the names of hosts where they say on which node they are."""
        if not self.hosts:
            return list(objects)
        placed = ((one, one.get("spec") or {}) for one in objects)
        return [
            {**one, "spec": {**spec, "nodeName": self.host(spec["nodeName"])}} if spec.get("nodeName") else one
            for one, spec in placed
        ]


def problems_of(hosts: Sequence[Desired], record: Record | None) -> list[Problem]:
    """What of ``kube_override_hostname`` cannot be."""
    nodes = [host for host in hosts if host.is_node]
    counts = Counter(host.node for host in nodes)
    found = []
    for host in nodes:
        before = record.node(host.name) if record and host.name in record.hosts else host.node
        if host.override and not _NAME.fullmatch(host.override):
            what = f"would be called {host.override!r}"
            remedy = "write a name of lower-case letters, digits, '-' and '.'; it is needed before facts are gathered"
        elif counts[host.node] > 1:
            what = f"is not the only one that would be the node {host.node}"
            remedy = "a node has one host: let each have a name of its own"
        elif before != host.node:
            what = f"is the node {before}, and would be {host.node} now: Kubernetes renames no node"
            remedy = f"go back to {before}; or remove the node, change the name then, and let it join again"
        else:
            continue
        message = f"{host.name} has kube_override_hostname and {what}"
        found.append(Problem("SLW-8317", message, remedy, where=host.where, host=host.name))
    return found
