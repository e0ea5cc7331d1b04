# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The preflight's checks, with what they need of Ansible: variables where they were written, groups, other hosts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ansible.release import __version__ as ansible_version
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.vars.reserved import get_reserved_names

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray import groups, hosts, hosts_together, ownership
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.installed import check_installed
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.preinstall import supported_systems
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.variables import check
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem

from . import inventory_nodes, kubespray, options, set_variables
from .node_action import NODE_GROUPS

RESULT = "__preflight_host"
"""What each host's look is registered as."""

_ADDONS = "slipway_addons"


@dataclass
class Found:
    """``problems`` in no order; ``version`` of Kubespray, empty for none; ``hosts`` that were looked at."""

    problems: list[Problem] = field(default_factory=list)
    version: str = ""
    hosts: list[str] = field(default_factory=list)


class Preflight:
    """Everything is looked at when ``run`` is called. ``args`` are the task's."""

    def __init__(self, args: Mapping[str, Any], variables: dict[str, Any], templar: Templar) -> None:
        self._args = args
        self._variables = variables
        self._templar = templar
        self._groups: Mapping[str, list[str]] = variables["groups"]
        self._set = set_variables.read(variables)

    def run(self) -> Found:
        """All findings at once. Raises ``NodesError`` and ``EngineError`` for options of the preflight alone."""
        paths = [Path(path) for path in AnsibleCollectionConfig.collection_paths]
        folder, problems = check_installed(paths, ansible_version, lambda name: find_spec(name) is not None)
        found = Found(problems)
        if folder is not None:
            index = kubespray.index(str(self._args.get("cache_dir") or ""))
            found.version = index.version
            found.problems += self._check_variables(index)
            found.problems += self._check_addons(index)
        found.problems += self._check_groups()
        members = options.names(self._args, "members")
        seen = seen_hosts(self._groups, self._values_of, members)
        limits = self._limits(folder)
        found.hosts = [host.name for host in seen]
        found.problems += [problem for host in seen for problem in hosts.judge(host, limits)]
        named = self._flag("override_system_hostname", True)
        found.problems += hosts_together.judge_together(seen, hostnames_are_set=named)
        return found

    def _values_of(self, host: str) -> Mapping[str, Any]:
        """All variables of a host that was looked at, none of others: Ansible takes milliseconds to collect them."""
        hostvars = self._variables["hostvars"]
        registered = hostvars._variable_manager._nonpersistent_fact_cache
        values: Mapping[str, Any] = hostvars.raw_get(host) if RESULT in registered.get(host, ()) else {}
        return values

    def _check_variables(self, index: Index) -> list[Problem]:
        return check(
            self._set,
            index,
            referenced=set_variables.referenced(self._set),
            ignore=options.names(self._args, "ignore_variables"),
            reserved=get_reserved_names(),
        )

    def _check_addons(self, index: Index) -> list[Problem]:
        where: dict[str, str] = {}
        for variable in self._set:
            where[variable.name] = variable.where
        switches = (*ownership.SWITCHES, "kube_network_plugin")
        values = {name: self._value(name, "calico" if name == "kube_network_plugin" else False) for name in switches}
        return ownership.check_ownership(values, self._addons(), index.version, where)

    def _addons(self) -> list[ownership.Wanted]:
        """What the manifest and its layers name, as far as it can be seen without evaluating it."""
        found: dict[str, ownership.Wanted] = {}
        for variable in self._set:
            layer = variable.name == _ADDONS or variable.name.startswith(f"{_ADDONS}__")
            if not layer or not isinstance(variable.value, Mapping):
                continue
            for name, entry in variable.value.items():
                fields = entry if isinstance(entry, Mapping) else {}
                if fields.get("enabled") is False:
                    continue
                chart = fields.get("chart")
                names = {str(name), str(fields.get("use") or name)}
                names |= {str(chart.get("name"))} if isinstance(chart, Mapping) else set()
                names |= {str(one) for one in fields.get("provides") or () if isinstance(one, str)}
                found[str(name)] = ownership.Wanted(str(name), frozenset(names), variable.where)
        return list(found.values())

    def _check_groups(self) -> list[Problem]:
        everybody = list(dict.fromkeys(host for group in ("all", "ungrouped") for host in self._groups.get(group, ())))
        lines = inventory_nodes.lines(
            self._variables.get("ansible_inventory_sources") or [], {*everybody, *self._groups}
        )
        inventory = groups.Inventory(
            self._groups,
            everybody,
            where=lambda name: lines.get(name, ""),
            former={str(group): str(host) for group, host in (self._args.get("former") or {}).items()},
        )
        by_kubeadm = self._value("etcd_deployment_type", "host") == "kubeadm"
        return groups.check_groups(inventory, etcd_by_kubeadm=by_kubeadm)

    def _limits(self, folder: Path | None) -> hosts.Limits:
        any_system = self._flag("allow_unsupported_distribution_setup", False) or folder is None
        api_port = int(self._value("kube_apiserver_port", 6443))
        plain = hosts.Limits()
        return hosts.Limits(
            memory={
                hosts.CONTROL_PLANE: int(self._value("minimal_master_memory_mb", plain.memory[hosts.CONTROL_PLANE])),
                hosts.NODE: int(self._value("minimal_node_memory_mb", plain.memory[hosts.NODE])),
            },
            disk=int(options.number(self._args, "disk_mib", plain.disk)),
            clock=options.number(self._args, "clock_skew_s", plain.clock),
            distributions=frozenset() if any_system or folder is None else supported_systems(folder),
            swap_is_switched_off=self._flag("kubelet_fail_swap_on", True),
            old_cgroups_fail=self._flag("kubelet_fail_cgroup_v1", True),
            ports={
                **plain.ports,
                hosts.CONTROL_PLANE: (api_port, *plain.ports[hosts.CONTROL_PLANE][1:]),
            },
        )

    def _value(self, name: str, default: Any) -> Any:
        """What Kubespray will see, or ``default`` where the user says nothing."""
        if name not in self._variables:
            return default
        value = self._templar.template(self._variables[name])
        return default if value is None else value

    def _flag(self, name: str, default: bool) -> bool:
        return str(self._value(name, default)).strip().lower() in ("true", "yes", "1")


def seen_hosts(
    groups: Mapping[str, Sequence[str]], values_of: Callable[[str], Mapping[str, Any]], members: Collection[str]
) -> list[hosts.Seen]:
    """The hosts that a play before this one has looked at, in the order of the inventory."""
    roles: dict[str, set[str]] = {}
    for group, names in groups.items():
        for name in names:
            roles.setdefault(name, set()).add(group)
    found = []
    for name in groups.get("all", ()):
        values = values_of(name)
        result = values.get(RESULT)
        if not isinstance(result, Mapping) or "facts" not in result:
            continue
        # before there is a cluster, and of hosts that are no nodes, nobody but the host knows what it is
        known = members and not roles[name].isdisjoint(NODE_GROUPS)
        own_names = {name, str(values.get("kube_override_hostname"))}
        member = not own_names.isdisjoint(members) if known else None
        found.append(hosts.Seen(name, frozenset(roles[name]), result["facts"], float(result.get("skew") or 0), member))
    return found
