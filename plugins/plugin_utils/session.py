# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every action of ours begins with: Python's packages, the cluster, the manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError, FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import Loader
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Manifest
from ansible_collections.slipway.cluster.plugins.module_utils.addons.reading import LiveOutputs
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.counts import node_counts

from . import options
from .manifest import load_manifest
from .tasks import reader

_CATALOG = Path(__file__).parents[2] / "roles" / "addons" / "files" / "catalog"


def check_packages() -> None:
    """Raises ``EngineError`` SLW-6301 when the controller's Python lacks a package."""
    missing = [name for name in ("jinja2", "jsonschema", "rich", "urllib3", "yaml") if find_spec(name) is None]
    if missing:
        advice = "install the collection's requirements.txt for Ansible's Python"
        raise EngineError("SLW-6301", f"Python packages are missing on the controller: {', '.join(missing)}", advice)


def lives_on(parent: int) -> Callable[[], bool]:
    """Whether the process that started this worker is still there."""
    return lambda: os.getppid() == parent


def manifest(
    args: Mapping[str, Any],
    variables: Mapping[str, Any],
    templar: Templar,
    client: Client,
    *,
    loader: DataLoader,
    task: Task,
    outputs: bool,
    without: Collection[str] = (),
) -> tuple[Loader, Manifest]:
    """The checked and resolved manifest, and what reads it again. ``outputs``: whether outputs of add-ons are looked
    for. ``without``: nodes that are not counted, because they are to go. Raises ``FindingsError``, and what reading
    nodes and outputs raises."""
    files = options.files_dir(args, variables)
    folders = [os.path.normpath(files / folder) for folder in options.names(args, "catalogs")]
    found = load_manifest(
        variables,
        templar,
        catalogs=[str(_CATALOG), *folders],
        files_dir=str(files),
        nodes=lambda: node_counts(n for n in client.list(NODE.collection()) if n["metadata"]["name"] not in without),
        tasks=reader(loader, task),
        outputs=(lambda: LiveOutputs(client)) if outputs else None,
    )
    manifest, findings = found.load()
    if manifest is None:
        raise FindingsError(findings)
    return found, manifest
