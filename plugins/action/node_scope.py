# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the plays that follow see the hosts of one run of Kubespray alone, or all hosts again."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils import scope


class ActionModule(ActionBase):
    """Asks our callback, and, with ``verify``, sees that it did it."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        wanted = str(self._task.args.get("run") or scope.EVERYBODY)
        if not self._task.args.get("verify"):
            return {**result, "changed": False, scope.RESULT: {"narrow": wanted}}
        if scope.CURRENT.narrowed_to == wanted:
            return {**result, "changed": False, "hosts": scope.CURRENT.runs.get(wanted, [])}
        # Without the callback Kubespray's plays would act on every host of the inventory.
        message = "SLW-8307 the hosts of this run could not be chosen"
        advice = "let ansible-playbook run the playbooks of slipway.cluster, or import them: their callback has to load"
        return {**result, "failed": True, "code": "SLW-8307", "msg": f"{message} ({advice})"}
