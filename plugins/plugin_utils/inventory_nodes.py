# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the inventory that belong to the cluster, with digests of what Kubespray reads of their variables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.magic import is_ansibles
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.digests import digest, relevant
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import GROUPS, KUBESPRAY, Desired

from . import origin

_OF_A_RUN = frozenset({
    "allow_ungraceful_removal", "any_errors_fatal", "downloads", "kube_version", "kubeadm_token", "node",
    "node_annotations", "node_labels", "node_taints", "reset_confirmation", "reset_nodes", "serial",
    "skip_confirmation",
})  # fmt: skip
"""What says how a run goes, or what we take care of ourselves: a change of it is no reason to run Kubespray."""
_ADDRESS = ("access_ip", "ip", "ansible_host")
_OWN, _ACCESS = ("ip", "ip6"), ("access_ip", "access_ip6")
_SUFFIXES = (".yml", ".yaml", ".ini", "")


def node_name(host: str, values: Mapping[str, Any]) -> str:
    """The name of a host's node, as Kubespray gives it. What came through a task's result is a text of a class of
    Ansible's own, which YAML is not written from; this is plain."""
    return plain_text(values.get("kube_override_hostname") or host)


def node_names(variables: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """``names`` of hosts or of nodes: those of nodes."""
    hosts = variables["hostvars"]
    return [_node_name(name, hosts.raw_get(name), hosts) if name in hosts else name for name in names]


def _node_name(host: str, values: Mapping[str, Any], hosts: Mapping[str, Any]) -> str:
    """``values`` as they are written. Of all that is in them, the name alone is worth evaluating here."""
    if "{{" not in str(values.get("kube_override_hostname")):
        return node_name(host, values)
    try:
        return node_name(host, hosts[host])
    except AnsibleError:
        # It wants facts of the host. As it is written it is no name, which will be told.
        return node_name(host, values)


def plain_text(value: object) -> str:
    return str.__str__(value) if isinstance(value, str) else str(value)


def read(variables: Mapping[str, Any], index: Index | None, only: Collection[str] = ()) -> list[Desired]:
    """In the order of the inventory, control plane first. Without an ``index`` nothing is known of variables. ``only``:
    of these hosts, for Ansible takes milliseconds to collect the variables of each; empty: of all."""
    groups: Mapping[str, list[str]] = variables["groups"]
    roles: dict[str, set[str]] = {}
    for group, role in GROUPS.items():
        for name in groups.get(group, ()):
            if not only or name in only:
                roles.setdefault(name, set()).add(role)
    places = lines(variables.get("ansible_inventory_sources") or [], roles)
    hosts = variables["hostvars"]
    found = []
    for name, own in roles.items():
        values = hosts.raw_get(name)
        node = _node_name(name, values, hosts)
        found.append(
            Desired(
                name=name,
                roles=frozenset(own),
                address=next(iter(_written(values, _ADDRESS)), ""),
                own=_written(values, _OWN),
                access=_written(values, _ACCESS),
                override=node if node != name else "",
                variables=_digests(values, index) if index else {},
                where=places.get(name, ""),
                source=str(values.get("slipway_node_source") or KUBESPRAY),
                replaces=str(values.get("slipway_replaces") or ""),
            )
        )
    return found


def _written(values: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(values[name]) for name in names if values.get(name))


def _digests(values: Mapping[str, Any], index: Index) -> dict[str, str]:
    set_by_user = {name: values[name] for name in values if not is_ansibles(name) and name not in index.results}
    names = relevant(set_by_user, lambda name: index.kind(name) is not None) - _OF_A_RUN
    return {name: digest(_plain(values[name]), secret=_is_secret(values[name])) for name in sorted(names)}


def _plain(value: object) -> object:
    """As data that has one text; a vaulted value by what stands in its file."""
    if origin.is_vaulted(value):
        return {"!vault": origin.ciphertext(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    return str.__str__(value) if isinstance(value, str) else value


def _is_secret(value: object) -> bool:
    """Plain text out of a file that is encrypted as a whole."""
    if isinstance(value, Mapping):
        return any(_is_secret(child) for child in value.values())
    if isinstance(value, (list, tuple)):
        return any(_is_secret(child) for child in value)
    place = origin.position(value)
    return place is not None and place.line > 0 and origin.file_is_vaulted(place.source)


def lines(sources: Iterable[object], names: Iterable[str]) -> dict[str, str]:
    """``file:line`` where each host is first written. Ansible does not keep this; a generated inventory has none."""
    found: dict[str, str] = {}
    wanted = set(names)
    first = re.compile(r"\s*(?:- )?[\"']?([A-Za-z0-9][\w.-]*)[\"']?\s*(?::|\s|$)")
    for source in sources:
        path = Path(str(source))
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            if not file.is_file() or file.suffix not in _SUFFIXES:
                continue
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                continue
            for number, line in enumerate(lines, 1):
                match = first.match(line)
                if match and match[1] in wanted and match[1] not in found:
                    found[match[1]] = f"{origin.shown(str(file))}:{number}"
    return found
