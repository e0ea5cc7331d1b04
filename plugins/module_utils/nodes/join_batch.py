# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A batch of image nodes: its token and its rights made, and all of it taken away again."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..kube.client import Client
from ..kube.errors import KubeError
from ..kube.node import accounts as a
from ..kube.objects import NODE
from . import join_objects as o
from .join_discovery import discover, until_signed
from .model import CONTROL_PLANE, by_name
from .problem import NodesError, Problem

Json = dict[str, Any]


@dataclass(frozen=True)
class Begun:
    """A batch that may join now. ``expires`` is the token's end by the API server's clock."""

    batch: str
    token_id: str
    token: str = field(repr=False)
    ca_hash: str
    endpoint: str
    expires: str
    control_plane: tuple[str, ...]
    removed: tuple[str, ...]


def begin(client: Client, name: str, nodes: Collection[str], *, life: float, alone: bool = False) -> Begun:
    """One token for ``nodes``, good for ``life`` seconds. ``alone``: nobody else can be at work for this
    ``slipway_name``, so whatever there is of other batches is left of dead runs.

    Raises ``NodesError`` SLW-8703 to SLW-8705 before anything is made, and ``KubeError``.
    """
    live = by_name(client.list(NODE.collection()))
    leading = tuple(sorted(n.name for n in live.values() if CONTROL_PLANE in n.roles))
    problems = [_present(one, one in leading) for one in nodes if one in live] + _missing(client)
    if problems:
        raise NodesError(problems)
    found = discover(client)
    removed = sweep(client, name, alone=alone)
    batch, pair = o.new_batch(), o.new_token()
    expires = client.now() + timedelta(seconds=life)
    present = frozenset(path for path in o.optional() if client.get(path) is not None)
    try:
        for path, body in o.bindings(name, batch, expires, present):
            client.write("POST", path, body)
        client.write("POST", o.SECRETS, o.token(name, batch, pair, expires))
        until_signed(client, pair[0])
    except BaseException:
        # What went wrong is told; what cannot be taken away now is found by the next run.
        with suppress(KubeError):
            end(client, name, batch)
        raise
    return Begun(
        batch, pair[0], ".".join(pair), found.ca_hash, found.endpoint, a.stamp(expires), leading, tuple(removed)
    )


def end(client: Client, name: str, batch: str) -> list[str]:
    """Nobody joins with this batch any more, and nothing is left of it. What was removed. Raises ``KubeError``."""
    return _remove(client, _objects(client, o.selector(name, batch)))


def sweep(client: Client, name: str, *, alone: bool) -> list[str]:
    """Take away what runs that died have left: what is over, and with ``alone`` all of it."""
    now = client.now()
    return _remove(client, [pair for pair in _objects(client, o.selector(name)) if alone or _over(pair[1], now)])


def _objects(client: Client, query: Mapping[str, str]) -> list[tuple[str, Json]]:
    """With the collection that each is in. Tokens that are not of a batch of ours are left to who made them."""
    found = [(place, one) for place in o.PLACES for one in client.list(place, query)]
    return [(place, one) for place, one in found if place != o.SECRETS or _is_ours(one)]


def _is_ours(secret: Json) -> bool:
    text = (secret.get("data") or {}).get("auth-extra-groups", "")
    return secret.get("type") == o.BOOTSTRAP_TYPE and base64.b64decode(text).decode() == o.group(o.batch_of(secret))


def _remove(client: Client, objects: Sequence[tuple[str, Json]]) -> list[str]:
    for place, one in objects:
        client.delete(f"{place}/{one['metadata']['name']}", uid=str(one["metadata"]["uid"]))
    return [f"{place.rpartition('/')[2]}/{one['metadata']['name']}" for place, one in objects]


def _over(one: Json, now: datetime) -> bool:
    """Whether its time is over. What says nothing of its end is broken, and over as well."""
    meta = one["metadata"]
    text = (meta.get("annotations") or {}).get(a.EXPIRES, "")
    if one.get("type") == o.BOOTSTRAP_TYPE:
        text = base64.b64decode((one.get("data") or {}).get("expiration", "")).decode()
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z") < now
    except ValueError:
        return True


def _present(name: str, leads: bool) -> Problem:
    if leads:
        message = f"{name} is a control plane node; these never join from an image"
        return Problem("SLW-8703", message, "slipway.cluster.install builds it over SSH", host=name)
    remedy = "a join token does not replace a node; remove it first, or leave it out"
    return Problem("SLW-8704", f"there is a node {name} already", remedy, host=name)


def _missing(client: Client) -> list[Problem]:
    """Roles that kubeadm makes in every cluster, and that this one has not."""
    absent = [name for path, name in o.needed() if client.get(path) is None]
    if not absent:
        return []
    message = f"the cluster does not take nodes by a token: it has no {', no '.join(absent)}, which kubeadm makes"
    return [Problem("SLW-8705", message, "add the node with slipway.cluster.scale over SSH instead")]
