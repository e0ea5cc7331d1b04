# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What only shows when hosts are compared: identities that are shared, ways between them that are closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..nodes.problem import Problem, Severity
from .hosts import Seen


def peers_of(name: str, everybody: Sequence[str], count: int) -> list[str]:
    """At most ``count`` others for ``name`` to try: the next ones in a ring.

    So each host tries a few and is tried by as many, whatever their number.
    """
    if name not in everybody:
        return []
    at = everybody.index(name)
    ring = [*everybody[at + 1 :], *everybody[:at]]
    return ring[:count]


def judge_together(hosts: Sequence[Seen], *, hostnames_are_set: bool) -> list[Problem]:
    """``hostnames_are_set``: Kubespray gives each host its name of the inventory, so a shared one does not stay."""
    good = [host for host in hosts if not host.facts.get("fault")]
    return [*_machine_ids(good), *_hostnames(good, hostnames_are_set), *_ways(good)]


def _machine_ids(hosts: Sequence[Seen]) -> Iterator[Problem]:
    remedy = "delete /etc/machine-id and run systemd-machine-id-setup, then restart the host"
    for host in hosts:
        if not host.facts["machine_id"] and not host.is_member:
            yield Problem("SLW-8208", "/etc/machine-id is empty", remedy, host=host.name)
    for value, names in _shared({host.name: host.facts["machine_id"] for host in hosts}).items():
        if all(host.is_member for host in hosts if host.name in names):
            continue
        said = f"{_and(names)} have the same machine id {value}: they are copies, or one host twice"
        yield Problem("SLW-8208", said, remedy, host=names[0])


def _hostnames(hosts: Sequence[Seen], hostnames_are_set: bool) -> Iterator[Problem]:
    for value, names in _shared({host.name: host.facts["hostname"] for host in hosts}).items():
        if all(host.is_member for host in hosts if host.name in names):
            continue
        said = f"{_and(names)} have the same hostname {value}"
        remedy = "Kubespray sets hostnames, and these will differ" if hostnames_are_set else "give each its own"
        severity = Severity.HINT if hostnames_are_set else Severity.ERROR
        yield Problem("SLW-8209", said, remedy, host=names[0], severity=severity)


def _ways(hosts: Sequence[Seen]) -> Iterator[Problem]:
    for host in hosts:
        for peer in host.facts.get("peers", ()):
            if peer["error"]:
                said = f"{peer['name']} does not answer at {peer['address']}, port {peer['port']}: {peer['error']}"
                remedy = "open the network between hosts; set access_ip where they use other addresses among themselves"
                yield Problem("SLW-8217", said, remedy, host=host.name)


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _shared(values: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in values.items():
        if value:
            found.setdefault(value, []).append(name)
    return {value: names for value, names in sorted(found.items()) if len(names) > 1}
