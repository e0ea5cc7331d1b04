# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's run on the host, and what it says, as a function that raises."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError


class HostPart:
    """``always``: arguments of every call."""

    def __init__(
        self,
        action: ActionBase,
        variables: dict[str, Any],
        always: Mapping[str, Any],
        module: str = "slipway.cluster.ssh_trust_host",
    ) -> None:
        self._action, self._variables, self._always, self._module = action, variables, always, module

    def call(self, stage: str, **arguments: Any) -> dict[str, Any]:
        """The module's result. Raises the error that it ended with; SLW-7318 where it could not even run."""
        found: dict[str, Any] = self._action._execute_module(
            module_name=self._module,
            module_args={**self._always, "stage": stage, **arguments},
            task_vars=self._variables,
        )
        if not found.get("failed"):
            return found
        if str(found.get("code", "")).startswith("SLW-"):
            raise SessionError.from_dict(found)
        said = str(found.get("msg") or found.get("module_stderr") or "no reason given").strip()
        raise TrustError(
            "SLW-7318",
            f"the module could not run on the host: {said[:500]}",
            "it needs Python 3.8 or later there, and root: by become, or by the user that logs in",
        )


def ssh_connection(action: ActionBase) -> str:
    """``SSH_CONNECTION`` of the login itself, before any become; empty where the host says something else."""
    said = str(action._low_level_execute_command('echo "$SSH_CONNECTION"', sudoable=False)["stdout"]).strip()
    words = said.split()
    try:
        for word in (words[0], words[2]):
            ipaddress.ip_address(word)
    except (IndexError, ValueError):
        return ""
    return said if len(words) == 4 and words[3].isdigit() else ""
