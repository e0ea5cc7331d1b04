# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down what an action plugin of this ansible-core gets out of the variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import format_path
from ansible_collections.slipway.cluster.plugins.plugin_utils.manifest import load_manifest

CATALOG = Path(__file__).resolve().parents[4] / "roles" / "addons" / "files" / "catalog"


class ActionModule(ActionBase):  # type: ignore[misc]
    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        loader = load_manifest(task_vars, self._templar, catalogs=[str(CATALOG)], nodes=lambda: {"workers": 2})
        manifest, findings = loader.load()
        told: dict[str, Any] = {"findings": [str(finding) for finding in findings]}
        if manifest is not None:
            told["secrets"] = manifest.secrets
            told["addons"] = {
                name: {
                    "values": addon.values,
                    "secret": sorted(format_path(path) for path in addon.secret_paths),
                    "origins": {format_path(path): str(place) for path, place in addon.origins.items()},
                }
                for name, addon in manifest.addons.items()
            }
        Path(self._task.args["to"]).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        return {"changed": False}
