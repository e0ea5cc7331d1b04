# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action around a module that gives a token: on its way the token is veiled, and its result is never printed."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.veil import new_key, unveil


class VeiledAction(ActionBase):  # type: ignore[misc]
    """Runs the module of the task's name."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        key = new_key()
        result.update(self._execute_module(module_args={**self._task.args, "veil": key}, task_vars=task_vars))
        result.pop("invocation", None)
        if result.get("token"):
            result["token"] = unveil(str(result["token"]), key)
            result["_ansible_no_log"] = True
        return result
