# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether etcd outlives the removal of members: it must be able to agree to each of them, and work afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .problem import Problem, Severity


@dataclass(frozen=True)
class Member:
    """``name`` is the inventory host's (Kubespray may call the member ``etcd1``)."""

    name: str
    healthy: bool


@dataclass(frozen=True)
class Known:
    """What a host of etcd is known by. ``name``: what its member is called by ``etcd_member_name``; ``place``: what
    Kubespray calls it by its place in the group."""

    addresses: Sequence[str] = ()
    name: str = ""
    place: str = ""


def members_of(found: Sequence[Mapping[str, Any]], known: Mapping[str, Known]) -> list[Member]:
    """``found``: as the module etcd_snapshot tells them. ``known``: by host. A member of no host keeps its name."""
    near = [_by_address(one, known) for one in found]
    names = [str(one["name"] or ", ".join(one["peer_urls"])) for one in found]
    pairs = list(zip(names, near, strict=True))
    named = {one.name: host for host, one in known.items() if one.name}
    placed = {one.place: host for host, one in known.items() if not one.name}
    hosts = {**placed, **named}
    # Members keep their names when the group is changed: where one of them is not as it should be, places tell nothing.
    if not all(name in hosts and host in ("", hosts[name]) for name, host in pairs):
        hosts = named
    free = {name: host for name, host in hosts.items() if host not in near}
    return [
        Member(host or free.get(name, name), bool(one["healthy"]))
        for one, (name, host) in zip(found, pairs, strict=True)
        # A learner has no vote yet.
        if not one["learner"]
    ]


def _by_address(member: Mapping[str, Any], known: Mapping[str, Known]) -> str:
    """The only host that has one of a member's addresses; empty: there is none, or more than one."""
    places = {urlsplit(url).hostname or "" for url in (*member["client_urls"], *member["peer_urls"])}
    hosts = [host for host, one in known.items() if places.intersection(one.addresses)]
    return hosts[0] if len(hosts) == 1 else ""


def quorum(members: int) -> int:
    """How many must be healthy."""
    return members // 2 + 1


def in_order(leaving: Sequence[str], members: Sequence[Member]) -> list[str]:
    """The order to remove members in: those that are down first, since each of these makes it easier for the rest."""
    healthy = {member.name for member in members if member.healthy}
    return sorted(leaving, key=lambda name: name in healthy)


def quorum_problems(
    leaving: Sequence[str],
    members: Sequence[Member] | None,
    *,
    hosts: Collection[str],
    where: str,
    unheard: str = "",
) -> Iterator[Problem]:
    """``leaving``: hosts of etcd that are to go, of ``hosts``. ``members``: None when nobody could ask;
    ``unheard`` says why."""
    if members is None:
        message = f"{', '.join(leaving)}: how etcd is, is not known" + (f": {unheard}" if unheard else "")
        remedy = "etcd has to answer on its first host before a member is taken out"
        yield Problem("SLW-8408", message, remedy, where)
        return
    known = {member.name: member for member in members}
    strangers = sorted(set(known).difference(hosts))
    lost = [name for name in leaving if name not in known]
    if lost and strangers:
        message = f"{', '.join(lost)}: no member of etcd has its address or name, and no host is {', '.join(strangers)}"
        remedy = "write ip, access_ip or etcd_member_name of its hosts into the inventory, as the members have them"
        yield Problem("SLW-8408", message, remedy, where, lost[0])
        return
    healthy, count = sum(member.healthy for member in members), len(members)
    going = [known[name] for name in in_order(leaving, members) if name in known]
    for member in going:
        if healthy < quorum(count):
            message = f"{member.name}: etcd has {healthy} healthy of {count} members and needs {quorum(count)} to agree"
            yield Problem("SLW-8408", message, "bring members back, or recover the control plane", where, member.name)
            return
        count -= 1
        healthy -= member.healthy
        if count and healthy < quorum(count):
            message = (
                f"without {member.name} etcd would have {healthy} healthy of {count} members, and needs {quorum(count)}"
            )
            down = ", ".join(m.name for m in members if not m.healthy and m.name not in leaving)
            remedy = f"bring back {down}" if down else "keep it"
            yield Problem("SLW-8408", message, remedy, where, member.name)
            return
    if going and count and count % 2 == 0:
        yield Problem(
            "SLW-8409",
            f"etcd would have {count} members, and Kubespray refuses every run with an even number",
            "add a member, or remove one more, before the next run",
            where,
            severity=Severity.WARNING,
        )
