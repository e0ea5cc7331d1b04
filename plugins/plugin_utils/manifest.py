# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest out of an action plugin's variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.template import Templar

from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Position
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import Loader, ManifestInput
from ansible_collections.slipway.cluster.plugins.module_utils.addons.output import LookOf

from .templating import AnsibleEvaluator
from .variables import raw, read


def load_manifest(
    task_vars: Mapping[str, Any],
    templar: Templar,
    *,
    catalogs: Sequence[str] = (),
    files_dir: str = ".",
    nodes: Callable[[], Mapping[str, Any]] | None = None,
    tasks: Callable[[str], tuple[Position, str] | None] = lambda file: None,
    outputs: LookOf = None,
) -> Loader:
    """Read ``slipway_addons`` and what belongs to it; ``load`` of what comes back checks and resolves it.

    ``task_vars`` and ``templar`` are those of the action plugin, ``catalogs`` folders of entries, ``files_dir`` what
    relative paths start from. ``nodes`` is called only if an expression reads ``slipway_nodes``; ``tasks`` looks at
    a hook's file; ``outputs`` begins a look at the cluster for outputs of add-ons, for every ``load``.
    Raises nothing but what ``nodes`` raises.
    """
    variables, findings = read(task_vars)
    return Loader(
        ManifestInput(
            variables=variables,
            evaluator=AnsibleEvaluator(templar),
            raw=raw(task_vars),
            catalogs=tuple(catalogs),
            files_dir=files_dir,
            nodes=nodes,
            outputs=outputs,
            names=lambda: [str(name) for name in task_vars],
            findings=tuple(findings),
            tasks=tasks,
        )
    )
