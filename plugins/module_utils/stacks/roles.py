# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which host has which role: as its line says, else as the stack lays them out; and whether that fits the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..nodes.problem import Problem
from .definition import ROLES, Stack
from .hosts import Host

Groups = Mapping[str, Sequence[str]]
"""Names of hosts by Kubespray's group, in the order in which they were given."""


def assign(stack: Stack, hosts: Sequence[Host]) -> tuple[Groups, list[Problem]]:
    """The groups, and what of them does not fit the stack.

    Where no host says its roles, the stack gives them by the order of the hosts. Where one does, all that say nothing
    are workers, and etcd runs on the control plane unless a host says otherwise.
    """
    if len(hosts) not in stack.hosts:
        unit = "host" if stack.hosts.most == 1 else "hosts"
        said = f"the stack {stack.name} is for {stack.hosts} {unit}, and there are {len(hosts)}"
        return {}, [Problem("SLW-8909", said, "give the hosts in slipway_hosts, or choose another stack")]
    roles = _said(hosts) if any(host.roles for host in hosts) else _laid_out(stack, hosts)
    groups = {group: [host.name for host in hosts if role in roles[host.name]] for role, group in ROLES.items()}
    return groups, list(_wrong(stack, groups))


def _said(hosts: Sequence[Host]) -> dict[str, tuple[str, ...]]:
    found = {host.name: host.roles or ("worker",) for host in hosts}
    if not any("etcd" in roles for roles in found.values()):
        found = {name: (*roles, "etcd") if "control_plane" in roles else roles for name, roles in found.items()}
    return found


def _laid_out(stack: Stack, hosts: Sequence[Host]) -> dict[str, tuple[str, ...]]:
    layout = stack.layout(len(hosts))
    return {host.name: layout.roles if at < layout.first else layout.others for at, host in enumerate(hosts)}


def _wrong(stack: Stack, groups: Groups) -> Iterator[Problem]:
    for role, wanted in stack.roles.items():
        number = len(groups[ROLES[role]])
        if number not in wanted:
            said = f"the stack {stack.name} wants {wanted} with the role {role}, and there are {number}"
            yield Problem("SLW-8910", said, f"write {role} on the lines of those that shall have it")
    members = len(groups["etcd"])
    if members and members % 2 == 0:
        said = f"{members} hosts have the role etcd: an even number bears no more losses than one host less"
        yield Problem("SLW-8910", said, "give the role etcd to 1, 3 or 5 hosts")
