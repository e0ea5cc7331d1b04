# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends the claim on the nodes of a run that fails. Loaded as it lies beside our playbooks.

Of all our callbacks it is the first by name: the SSH session counts this login too.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase

from ansible_collections.slipway.cluster.plugins.plugin_utils import abandon, task_results


class CallbackModule(CallbackBase):
    """Silent where nothing is held."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "slipway_claim"
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        self._held_at = ""
        self._passwords: dict[str, str] = {}

    def set_play_context(self, play_context: Any) -> None:
        self._passwords = {"conn_pass": play_context.password, "become_pass": play_context.become_pass}

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._manager = play.get_variable_manager()

    def v2_runner_on_ok(self, result: Any) -> None:
        found = task_results.content(result)
        if task_results.task(result).resolved_action == "slipway.cluster.nodes" and "locked" in found:
            self._held_at = task_results.host(result) if found["locked"] else ""

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if not self._held_at:
            return
        try:
            ended = abandon.end_claim(self._held_at, self._manager, self._passwords)
        except AnsibleError:
            ended = False
        if not ended:
            said = f"{self._held_at} could not be told that this run is over: its claim on the nodes ends by itself"
            self._display.display(f"NODES  {said}")
