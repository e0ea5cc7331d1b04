# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down what a status run found, for the fleet's run that started it. Loaded as it lies beside our playbooks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.slipway.cluster.plugins.module_utils.fleet.asked import OUTCOME
from ansible_collections.slipway.cluster.plugins.module_utils.report.session_text import reason_lines
from ansible_collections.slipway.cluster.plugins.plugin_utils import ssh_session, task_results

_TASKS = {"slipway.cluster.nodes": ("nodes", "status"), "slipway.cluster.addons": ("addons", "plan")}


class CallbackModule(CallbackBase):
    """Says nothing, and does nothing where no fleet's run asked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "slipway_outcome"
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self) -> None:
        super().__init__()
        self._file = os.environ.get(OUTCOME, "")
        self._seen: dict[str, Any] = {"failures": []}

    def v2_runner_on_ok(self, result: Any) -> None:
        found = task_results.content(result)
        name, key = _TASKS.get(task_results.task(result).resolved_action, ("", ""))
        if name and key in found:
            self._write(**{name: found[key]})

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._fail(task_results.content(result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        said = str(task_results.content(result).get("msg"))
        status = ssh_session.status()
        reasons = reason_lines(status, said) if status is not None else []
        self._fail({"msg": f"{task_results.host(result)}: {reasons[0] if reasons else said}"})

    def _fail(self, found: dict[str, Any]) -> None:
        self._write(failures=[*self._seen["failures"], str(found.get("msg") or "a task failed and said nothing")])

    def _write(self, **more: Any) -> None:
        """At once, because nobody knows how this run will end."""
        if self._file:
            self._seen.update(more)
            Path(self._file).write_text(json.dumps(self._seen), encoding="utf-8")
