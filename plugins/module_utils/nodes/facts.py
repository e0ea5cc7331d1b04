# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What Kubespray's plays have to know of hosts that they do not visit.

Kubespray takes it from a fact cache, for which each of these hosts was visited once. API, record and inventory know it
as well (Kubespray 2.31: role ``network_facts``, and the templates that read ``hostvars`` of other hosts).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .model import Actual, Desired
from .record import Record


def of_others(
    hosts: Iterable[Desired], live: Mapping[str, Actual] | None, record: Record | None
) -> dict[str, dict[str, Any]]:
    """Facts by host name, for those of ``hosts`` whose address is known."""
    found = {}
    for host in hosts:
        written = _by_version(host.own)
        seen = _by_version(live[host.name].addresses) if live and host.name in live else {}
        own = written or seen or _guessed(host, record)
        # A node has the families of addresses that its cluster has, whatever else the inventory says of its host.
        own = {version: own.get(version, address) for version, address in (seen or own).items()}
        if own:
            access = _by_version(host.access)
            found[host.name] = _facts(host.name, own, {version: access.get(version, own[version]) for version in own})
    return found


def _guessed(host: Desired, record: Record | None) -> dict[int, str]:
    """Of a host that is no node. ``ansible_host``, which may be behind ``address``, is how we reach it: by NAT it is
    another address than its own."""
    known = record.hosts.get(host.name) if record else None
    named = (*host.access, known.address if known else "", host.address)
    return _by_version([address for address in named if _version(address)][:1])


def _by_version(addresses: Iterable[str]) -> dict[int, str]:
    """One of each family, as Kubespray has them on two stacks: the first."""
    found: dict[int, str] = {}
    for address in addresses:
        if version := _version(address):
            found.setdefault(version, address)
    return found


def _facts(name: str, own: Mapping[int, str], access: Mapping[int, str]) -> dict[str, Any]:
    """Of both the first address is the main one."""
    facts: dict[str, Any] = {
        "main_ip": next(iter(own.values())),
        "main_access_ip": next(iter(access.values())),
        "main_ips": list(own.values()),
        "main_access_ips": list(access.values()),
        "ansible_hostname": name.partition(".")[0],
        "ansible_fqdn": name,
    }
    for version, address in own.items():
        facts[f"ansible_default_ipv{version}"] = {"address": address}
        facts[f"ansible_all_ipv{version}_addresses"] = [address]
    return facts


def _version(address: str) -> int:
    """4 or 6; 0 for what is no address."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0
