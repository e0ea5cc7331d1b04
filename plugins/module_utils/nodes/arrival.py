# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Wait for nodes that Kubespray is done with, by the API alone: for these, and for no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from ..kube.client import Client
from ..kube.objects import NODE
from .model import Actual, by_name
from .problem import NodesError, Problem

_PAUSE = 1.0


def until_ready(
    client: Client,
    names: Collection[str],
    *,
    timeout: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Actual]:
    """The API's nodes once all ``names`` are Ready. Nodes that are not named may be in any state.

    Raises ``NodesError`` SLW-8308 that names each one that is not Ready after ``timeout`` seconds, and why.
    """
    deadline = clock() + timeout
    told: set[str] = set()
    while True:
        live = by_name(client.list(NODE.collection()))
        late = [name for name in names if name not in live or not live[name].ready]
        for name in sorted(set(names) - set(late) - told):
            say(f"  {name} is Ready")
            told.add(name)
        if not late:
            return live
        if clock() >= deadline:
            raise NodesError([_late(name, live.get(name), timeout) for name in late])
        sleep(_PAUSE)


def _late(name: str, node: Actual | None, timeout: float) -> Problem:
    what = f"is not Ready after {timeout:.0f} s: {node.reason}" if node else "has not joined the cluster"
    return Problem(
        "SLW-8308",
        f"{name} {what}",
        "look at kubelet's log on it; the next run goes on from here. slipway_node_timeout gives more seconds",
        host=name,
    )
