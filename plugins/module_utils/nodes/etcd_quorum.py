# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether etcd outlives the removal of members: it must be able to agree to each of them, and work afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .problem import Problem, Severity


@dataclass(frozen=True)
class Member:
    """``name`` is the inventory host's (Kubespray may call the member ``etcd1``)."""

    name: str
    healthy: bool


def members_of(found: Sequence[Mapping[str, Any]], addresses: Mapping[str, Iterable[str]]) -> list[Member]:
    """``found``: as the module etcd_snapshot tells them. ``addresses``: by host, all that it is known by: Kubespray's
    own names of members (``etcd1``) say nothing. A member of no host keeps its name."""
    hosts = {address: host for host, known in addresses.items() for address in known}
    members = []
    for one in found:
        places = [urlsplit(url).hostname or "" for url in (*one["client_urls"], *one["peer_urls"])]
        host = next((hosts[place] for place in places if place in hosts), one["name"])
        # A learner has no vote yet.
        if not one["learner"]:
            members.append(Member(str(host), bool(one["healthy"])))
    return members


def quorum(members: int) -> int:
    """How many must be healthy."""
    return members // 2 + 1


def in_order(leaving: Sequence[str], members: Sequence[Member]) -> list[str]:
    """The order to remove members in: those that are down first, since each of these makes it easier for the rest."""
    healthy = {member.name for member in members if member.healthy}
    return sorted(leaving, key=lambda name: name in healthy)


def quorum_problems(leaving: Sequence[str], members: Sequence[Member] | None, *, where: str) -> Iterator[Problem]:
    """``leaving``: hosts of etcd that are to go. ``members``: None when nobody could ask."""
    if members is None:
        remedy = "etcd has to answer on its first host before a member is taken out"
        yield Problem("SLW-8408", f"{', '.join(leaving)}: how etcd is, is not known", remedy, where)
        return
    known = {member.name: member for member in members}
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
