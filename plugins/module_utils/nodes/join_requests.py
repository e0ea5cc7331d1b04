# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which certificate requests of joining nodes are granted: decisions alone, without the API.

A join token is a secret of minutes that lies in user-data. Whoever reads it can ask for a certificate. So every request
is looked at: it has to be for a node of this batch, which is not there yet, and the first of that name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .join_csr import CLIENT, NODE_USER, SERVING, Parsed, Request, UnreadableError, parse

BOOTSTRAP_USER = "system:bootstrap:"
_SHARED_USAGES = frozenset({"digital signature", "key encipherment"})


class Reason(StrEnum):
    """Of a decision, as it stands in the request's condition."""

    JOINS = "SlipwayJoins"
    SERVES = "SlipwayServes"
    OUTSIDE_BATCH = "SlipwayOutsideBatch"
    NODE_EXISTS = "SlipwayNodeExists"
    CONTROL_PLANE = "SlipwayControlPlane"
    SECOND_KEY = "SlipwaySecondKey"
    UNUSUAL = "SlipwayUnusualRequest"
    OTHER_NAMES = "SlipwayOtherNames"


CODES = {
    Reason.OUTSIDE_BATCH: "SLW-8721",
    Reason.NODE_EXISTS: "SLW-8722",
    Reason.CONTROL_PLANE: "SLW-8723",
    Reason.SECOND_KEY: "SLW-8724",
    Reason.UNUSUAL: "SLW-8725",
    Reason.OTHER_NAMES: "SLW-8726",
}


@dataclass(frozen=True)
class Batch:
    """Who may join: by name the address. ``control_plane`` are names that never may, whatever ``nodes`` says."""

    token_id: str
    nodes: Mapping[str, str]
    control_plane: frozenset[str] = frozenset()

    @property
    def user(self) -> str:
        return BOOTSTRAP_USER + self.token_id


@dataclass
class Granted:
    """By name the key that was approved, and what other keys asked for the same name afterwards."""

    keys: dict[str, str] = field(default_factory=dict)
    second: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """``node`` is empty where the request names none of the batch. ``parsed``: only for what is approved."""

    request: str
    approve: bool
    reason: Reason
    message: str
    node: str = ""
    parsed: Parsed | None = None

    @property
    def code(self) -> str:
        return CODES.get(self.reason, "")


def concerns(request: Request, batch: Batch) -> bool:
    """Whether a request is ours to decide: by this batch's token, or of a node of this batch for its own server.
    All others belong to somebody else, and are not touched."""
    if request.user == batch.user:
        return True
    node = request.user.removeprefix(NODE_USER)
    return request.signer == SERVING and node != request.user and node in batch.nodes


def decide(request: Request, batch: Batch, granted: Granted, existing: Collection[str]) -> Verdict:
    """About one that concerns the batch. ``existing`` are names of nodes that the cluster has now.

    ``granted`` is what was approved so far; it is not changed.
    """
    if request.user != batch.user:
        return _serving(request, batch, granted)
    try:
        asked = _client(request)
    except UnreadableError as exc:
        return Verdict(request.name, False, Reason.UNUSUAL, f"a kubelet that joins does not write this: {exc}")
    name, key = asked.name, asked.key
    refusal = _refusal(name, batch)
    if refusal is not None:
        return Verdict(request.name, False, *refusal, node=name if name in batch.nodes else "")
    first = granted.keys.get(name)
    if first == key:
        return Verdict(request.name, True, Reason.JOINS, f"{name} asks again with the key that it had", name, asked)
    if first is not None:
        message = (
            f"{name} was approved already, for another key. Either its machine was started anew meanwhile, or somebody "
            "has the join token: of the two who asked one is not the machine"
        )
        return Verdict(request.name, False, Reason.SECOND_KEY, message, name)
    if name in existing:
        message = f"there is a node {name}, and a join token does not replace it"
        return Verdict(request.name, False, Reason.NODE_EXISTS, message, name)
    return Verdict(request.name, True, Reason.JOINS, f"{name} joins with this batch", name, asked)


def _client(request: Request) -> Parsed:
    """Raises ``UnreadableError``."""
    if request.signer != CLIENT:
        raise UnreadableError(f"a certificate of {request.signer!r}")
    _check_usages(request, "client auth")
    asked = parse(request.text)
    if asked.names or asked.addresses:
        wished = ", ".join(sorted(asked.names | asked.addresses))
        raise UnreadableError(f"a client's certificate for {wished}")
    return asked


def _refusal(name: str, batch: Batch) -> tuple[Reason, str] | None:
    if name in batch.control_plane:
        return Reason.CONTROL_PLANE, f"{name} is a control plane node; these never join from an image"
    if name not in batch.nodes:
        return Reason.OUTSIDE_BATCH, f"{name} is no node of this batch ({', '.join(sorted(batch.nodes))})"
    return None


def _serving(request: Request, batch: Batch, granted: Granted) -> Verdict:
    """A node's own server: for its name and its address, and only when the node joined with this batch."""
    name = request.user.removeprefix(NODE_USER)
    try:
        _check_usages(request, "server auth")
        asked = parse(request.text)
    except UnreadableError as exc:
        return Verdict(request.name, False, Reason.UNUSUAL, f"a kubelet's server does not write this: {exc}", name)
    address = str(ipaddress.ip_address(batch.nodes[name]))
    others = (asked.names - {name}) | (asked.addresses - {address})
    if asked.name != name:
        others |= {asked.name}
    if name not in granted.keys:
        message = f"{name} has not joined with this batch"
        return Verdict(request.name, False, Reason.OTHER_NAMES, message, name)
    if others or not (asked.names or asked.addresses):
        what = ", ".join(sorted(others)) or "no name at all"
        message = f"{name} asks to serve as {what}; it has the name {name} and the address {address}"
        return Verdict(request.name, False, Reason.OTHER_NAMES, message, name)
    return Verdict(request.name, True, Reason.SERVES, f"{name} serves under its name and address", name, asked)


def _check_usages(request: Request, needed: str) -> None:
    """Raises ``UnreadableError``."""
    if needed not in request.usages or request.usages - _SHARED_USAGES != {needed}:
        raise UnreadableError(f"a certificate for {', '.join(sorted(request.usages))}")
    if "digital signature" not in request.usages:
        raise UnreadableError("a certificate without digital signature")
