# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does in Ansible's main process what our actions want of the inventory. Loaded as it lies beside our playbooks."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.slipway.cluster.plugins.plugin_utils import scope, task_results


class CallbackModule(CallbackBase):
    """Says nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "slipway_scope"
    CALLBACK_NEEDS_ENABLED = False

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._manager = play.get_variable_manager()
        scope.CURRENT.present = True

    def v2_runner_on_ok(self, result: Any) -> None:
        if task_results.task(result).resolved_action not in ("slipway.cluster.nodes", "slipway.cluster.node_scope"):
            return
        wanted = task_results.content(result).get(scope.RESULT)
        if wanted:
            scope.CURRENT.obey(wanted, self._manager)
