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
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.plugin_utils import ssh_session

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
        task, found = _parts(result)
        name, key = _TASKS.get(task.resolved_action, ("", ""))
        if name and key in found:
            self._write(**{name: found[key]})

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._fail(_parts(result)[1])

    def v2_runner_on_unreachable(self, result: Any) -> None:
        host, found = _host(result), _parts(result)[1]
        running = ssh_session.current()
        reasons: list[str] = []
        if running is not None:
            try:
                reasons = reason_lines(running.status(), str(found.get("msg")))
            except SessionError as exc:
                reasons = [str(exc)]
        self._fail({"msg": f"{host}: {reasons[0] if reasons else found.get('msg')}"})

    def _fail(self, found: dict[str, Any]) -> None:
        self._write(failures=[*self._seen["failures"], str(found.get("msg") or "a task failed and said nothing")])

    def _write(self, **more: Any) -> None:
        """At once, because nobody knows how this run will end."""
        if self._file:
            self._seen.update(more)
            Path(self._file).write_text(json.dumps(self._seen), encoding="utf-8")


def _host(result: Any) -> str:
    return str(result.host.name if hasattr(result, "host") else result._host.get_name())


def _parts(result: Any) -> tuple[Any, dict[str, Any]]:
    if hasattr(result, "task"):
        return result.task, result.result
    return result._task, result._result
