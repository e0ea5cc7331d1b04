# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed Kubespray, found as Ansible finds collections."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible.utils.collection_loader._collection_finder import _get_collection_path

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index, load
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem

NAME = "kubernetes_sigs.kubespray"
_REMEDY = "ansible-galaxy collection install -r requirements.yml installs the version that Slipway is tested with"


def folder() -> Path | None:
    """Where it is installed; None: nowhere on Ansible's collection path."""
    try:
        return Path(_get_collection_path(NAME))
    except ValueError:
        return None


def missing() -> Problem:
    return Problem("SLW-8001", f"the collection {NAME} is not installed", _REMEDY)


def index(cache_dir: str) -> Index:
    """Its variables. Raises ``NodesError`` SLW-8001, or SLW-8002 when it cannot be read."""
    found = folder()
    if found is None:
        raise NodesError([missing()])
    cache = Path(cache_dir or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser()
    try:
        return load(found, cache if cache_dir else cache / "slipway")
    except (OSError, ValueError) as exc:
        raise NodesError([Problem("SLW-8002", f"{NAME} in {found} cannot be read: {exc}", _REMEDY)]) from exc


def has_nodes(groups: Mapping[str, Sequence[str]]) -> bool:
    """Whether an inventory describes nodes to be built. With a control plane host alone it names a cluster that
    somebody else looks after, and whose API that host opens."""
    return any(groups.get(group) for group in ("kube_node", "k8s_cluster"))
