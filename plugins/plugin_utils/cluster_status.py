# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster by its API alone: add-ons, how many nodes are there, what ends when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Engine
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.lives import lives
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import by_name
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Store
from ansible_collections.slipway.cluster.plugins.module_utils.report.lives_text import life_dict, lives_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.status_text import status_dict, status_lines

from . import options

PATIENCE = 10.0
"""Seconds that an API server gets to answer somebody who only wants to know how it is."""


def tell(
    engine: Engine,
    client: Client,
    access: Access,
    args: Mapping[str, Any],
    *,
    say: Callable[[str], None],
    verbose: bool,
) -> dict[str, Any]:
    """Says it, and returns it as data, secrets masked."""
    found = engine.status()
    nodes = by_name(client.list(NODE.collection()))
    ends = lives(client, access, access_namespace=options.access_namespace(args))
    now = client.now()
    for line in (*status_lines(found, verbose=verbose), *lives_lines(found.name, ends, now)):
        say(engine.masker.text(line))
    told: dict[str, Any] = engine.masker.value(
        {
            **status_dict(found),
            "conditions": list(found.conditions),
            "kubespray": _kubespray(client, options.records_namespace(args)),
            "nodes": {"ready": sum(node.ready for node in nodes.values()), "total": len(nodes)},
            "lives": [life_dict(life, now) for life in ends],
            "looked": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        }
    )
    return told


def _kubespray(client: Client, namespace: str) -> str:
    """The version that built the cluster, by our record; empty where there is none that can be read."""
    try:
        record = Store(client, namespace).read()
    except NodesError:
        return ""
    return record.kubespray if record else ""
