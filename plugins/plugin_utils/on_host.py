# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module on the task's own host, called as often as needed while an action runs: also from the engine's threads."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.veil import new_key, unveil
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError

from . import ssh_session


class _Caller(ActionBase):  # type: ignore[misc]
    """Runs modules as its task would, and never in check mode: rights are the means of a plan and not its matter."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        raise NotImplementedError

    def call(self, module: str, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._execute_module(module_name=module, module_args=arguments, task_vars=variables)
        return found


class OnHost:
    """``action`` is the running one; its connection, its become and its interpreter are used."""

    def __init__(self, action: ActionBase, variables: Mapping[str, Any]) -> None:
        task = action._task.copy()
        task.check_mode = False
        task.diff = False
        task.no_log = True
        self.connection = action._connection
        self.name = str(variables.get("inventory_hostname", ""))
        self._variables = dict(variables)
        self._caller = _Caller(
            task, action._connection, action._play_context, action._loader, action._templar, action._shared_loader_obj
        )
        # Ansible keeps what it is doing in variables of the thread.
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()

    def call(self, **arguments: Any) -> dict[str, Any]:
        """The answer of ``cluster_access``, its token unveiled. Raises ``AccessError``: the module's own error,
        SLW-7403 when it could not be run, or what the authority for SSH had to say."""
        try:
            ssh_session.require(self.connection, self.name)
        except SessionError as exc:
            raise AccessError(exc.code, exc.message, exc.advice) from exc
        key = new_key()
        arguments = {**arguments, "veil": key}
        with self._lock:
            try:
                answer = self._context.run(
                    self._caller.call, "slipway.cluster.cluster_access", arguments, self._variables
                )
            except (AnsibleError, OSError) as exc:
                raise AccessError("SLW-7403", f"{self.name} cannot be asked: {exc}", "is it reachable by SSH?") from exc
        if answer.get("failed") or answer.get("unreachable"):
            # Never the module's raw output.
            raise AccessError(str(answer.get("code") or "SLW-7403"), self._why(answer))
        if answer.get("token"):
            answer["token"] = unveil(str(answer["token"]), key)
        return answer

    def _why(self, answer: Mapping[str, Any]) -> str:
        text = str(answer.get("msg") or "the module gave no reason").strip().splitlines()[0]
        code = str(answer.get("code") or "")
        return f"{self.name}: {text.removeprefix(code).strip()}"
