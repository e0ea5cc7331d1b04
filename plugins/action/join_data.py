# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the user-data of machines that become nodes from an image, for a token that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import Cluster

from ..plugin_utils import join_files, join_hosts, options
from ..plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """The inventory and a token in, files out. The cluster is not asked."""

    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        token = str(args.get("token") or "")
        self._masker.add([token] if token else [])
        base = options.files_dir(args, variables)
        names = join_hosts.chosen(variables, options.names(args, "hosts"))
        joins = join_hosts.read(variables, names, files=base, cache_dir=str(args.get("cache_dir") or ""))
        cluster = Cluster(token, str(args.get("ca_hash") or ""), str(args.get("endpoint") or ""))
        data = join_hosts.rendered(joins, cluster)
        kind = join_files.format_of(args)
        if self._task.check_mode:
            return {"changed": bool(data), "nodes": []}
        folder = join_files.folder(str(args.get("data_dir") or ""), base)
        return {
            "changed": bool(data),
            "nodes": join_hosts.batch_of(joins, folder.write(data, kind)),
            "folder": str(folder.path),
        }
