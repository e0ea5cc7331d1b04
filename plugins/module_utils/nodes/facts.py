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
        addresses = _addresses(host, live or {}, record)
        if addresses:
            found[host.name] = _facts(host.name, addresses)
    return found


def _addresses(host: Desired, live: Mapping[str, Actual], record: Record | None) -> list[str]:
    """The one that the inventory says first; of others, the API's."""
    known = record.hosts.get(host.name) if record else None
    named = [host.address, *(live[host.name].addresses if host.name in live else ()), known.address if known else ""]
    return [address for address in dict.fromkeys(named) if _version(address)]


def _facts(name: str, addresses: list[str]) -> dict[str, Any]:
    # One of each family, as Kubespray has them on two stacks.
    each = {_version(address): address for address in reversed(addresses)}
    chosen = sorted(each.values(), key=addresses.index)
    facts: dict[str, Any] = {
        "main_ip": chosen[0],
        "main_access_ip": chosen[0],
        "main_ips": chosen,
        "main_access_ips": chosen,
        "ansible_hostname": name.partition(".")[0],
        "ansible_fqdn": name,
    }
    for version, address in each.items():
        facts[f"ansible_default_ipv{version}"] = {"address": address}
        facts[f"ansible_all_ipv{version}_addresses"] = [address]
    return facts


def _version(address: str) -> int:
    """4 or 6; 0 for what is no address."""
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0
