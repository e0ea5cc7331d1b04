# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Wait for nodes that Kubespray is done with, by the API alone: for these, and for no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from ..kube.client import Client
from ..kube.objects import NODE
from .model import Actual, by_name
from .problem import NodesError, Problem

_PAUSE = 1.0
_SINGLY = 20
"""Up to so many nodes are asked for one by one: of a large cluster the list takes the server longer."""


def until_ready(
    client: Client,
    names: Collection[str],
    *,
    timeout: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Returns once all ``names`` are Ready. Nodes that are not named may be in any state.

    Raises ``NodesError`` SLW-8308 that names each one that is not Ready after ``timeout`` seconds, and why.
    """
    deadline = clock() + timeout
    late = sorted(names)
    while late:
        live = _look(client, late)
        ready = [name for name in late if name in live and live[name].ready]
        for name in ready:
            say(f"  {name} is Ready")
        late = [name for name in late if name not in ready]
        if not late:
            return
        if clock() >= deadline:
            raise NodesError([_late(name, live.get(name), timeout) for name in late])
        sleep(_PAUSE)


def _look(client: Client, names: Collection[str]) -> Mapping[str, Actual]:
    if len(names) > _SINGLY:
        return by_name(client.list(NODE.collection()))
    found = (client.get(NODE.path("", name)) for name in names)
    return by_name([node for node in found if node is not None])


def _late(name: str, node: Actual | None, timeout: float) -> Problem:
    what = f"is not Ready after {timeout:.0f} s: {node.reason}" if node else "has not joined the cluster"
    return Problem(
        "SLW-8308",
        f"{name} {what}",
        "look at kubelet's log on it; the next run goes on from here. slipway_node_timeout gives more seconds",
        host=name,
    )
