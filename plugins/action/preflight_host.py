# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at one host, over one connection. What keeps it from being looked at is a finding too, and no failure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.host_faults import fault_of
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.hosts import ETCD, MODULES, Limits, ports_of
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.hosts_together import peers_of
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError

from ..plugin_utils import options, ssh_session

_ADDRESS = ("access_ip", "ip", "ansible_host")
_CONTROL_PLANE = "kube_control_plane"


class ActionModule(ActionBase):
    """The module does the work; here is what it cannot know: other hosts, and what time it is elsewhere."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            ssh_session.require(self._connection, str(variables["inventory_hostname"]))
            before = time.time()
            found = self._execute_module(
                module_name="slipway.cluster.preflight_host",
                module_args=self._arguments(self._task.args, variables),
                task_vars=variables,
            )
            after = time.time()
        except AnsibleConnectionFailure as exc:
            return {**result, "facts": {"fault": "unreachable", "said": str(exc)}}
        except SessionError as exc:
            return {**result, "facts": {"fault": "unreachable", "said": str(exc)}}
        except AnsibleError as exc:
            return {**result, "facts": fault_of({"msg": str(exc)})}
        if found.get("failed") or "facts" not in found:
            return {**result, "facts": fault_of(found)}
        clock = float(found["clock"])
        skew = clock - before if clock < before else clock - after if clock > after else 0.0
        return {**result, "changed": False, "facts": found["facts"], "skew": skew}

    def _arguments(self, args: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        roles = frozenset(variables.get("group_names") or ())
        folders = list(options.names(args, "folders")) or ["/var/lib"]
        if ETCD in roles and variables.get("etcd_data_dir"):
            folders.append(str(self._templar.template(variables["etcd_data_dir"])))
        wanted = ports_of(roles, Limits()) | {self._api_port(variables)}
        return {
            "folders": folders,
            "modules": list(MODULES),
            "ports": sorted(wanted),
            "peers": self._peers(variables, int(options.number(args, "peers", 3))),
            "timeout": options.number(args, "timeout", 3, 1),
        }

    def _peers(self, variables: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
        """Hosts of this play only: those outside of it are left alone, but for the port of a control plane's API."""
        own = str(variables["inventory_hostname"])
        playing = list(variables.get("ansible_play_hosts_all") or ())
        hostvars = variables["hostvars"]
        found = []
        for name in peers_of(own, playing, count):
            port = hostvars[name].get("ansible_port") or 22
            found.append({"name": name, "address": _address(hostvars[name], name), "port": int(port)})
        first = next(iter(variables["groups"].get(_CONTROL_PLANE) or ()), "")
        if count and first and first not in playing:
            address = _address(hostvars[first], first)
            found.append({"name": first, "address": address, "port": self._api_port(variables)})
        return found

    def _api_port(self, variables: Mapping[str, Any]) -> int:
        return int(self._templar.template(variables.get("kube_apiserver_port") or 6443))


def _address(values: Mapping[str, Any], name: str) -> str:
    return next((str(values[key]) for key in _ADDRESS if values.get(key)), name)
