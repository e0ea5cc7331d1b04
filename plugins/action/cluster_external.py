# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List what a cluster has outside of itself, or take it away before the cluster is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.external import (
    External,
    cluster_consent,
    left_outside,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.external_removal import Removal, look
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError

from ..plugin_utils import options
from ..plugin_utils.node_action import NodeAction, stop_at

display = Display()


class ActionModule(NodeAction):
    """Consent in, lines while things go, what is gone and what is kept out."""

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        leaves = not options.flag(args, "remove_external", True)
        removes = args.get("state") == "absent" and not leaves
        name = str(args.get("name") or "")
        if args.get("state") == "absent":
            problems = cluster_consent(str(args.get("remove_cluster") or ""), name)
            if problems:
                raise NodesError(problems)
        with self.client(variables, agent="cluster_external", reads=not removes) as client:
            outside = look(client)
            if args.get("state") == "absent" and leaves:
                stop_at(left_outside(outside.found))
            gone: Sequence[External] = outside.found if removes else ()
            if removes and not self._task.check_mode:
                timeout = options.number(args, "timeout", 600, 1)
                gone = Removal(client, timeout=timeout, say=display.display).run()
        for one in outside.kept:
            display.display(f"stays outside, as its policy is to be kept: {one}")
        return {
            "changed": bool(gone),
            "found": [as_dict(one) for one in outside.found],
            "removed": [as_dict(one) for one in gone],
            "kept": [as_dict(one) for one in outside.kept],
        }


def as_dict(one: External) -> dict[str, str]:
    return {
        "kind": one.kind,
        "namespace": one.namespace,
        "name": one.name,
        "holder": one.holder,
        "detail": one.detail,
    }
