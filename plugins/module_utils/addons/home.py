# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Leave nothing behind: when the last record is gone, key, lock and the namespace that we made go too."""

from __future__ import annotations

from ..kube.client import METADATA, Client
from ..kube.objects import CONFIG_MAP, LEASE, NAMESPACE, SECRET
from .desired import CREATED_BY
from .lock import NAME, Lock
from .namespaces import Inhabitants
from .observe import Observed, key_name
from .record import LABEL_RECORD
from .waiting import Waiter
from .work import Store

_PATIENCE = 60.0
"""Seconds; a namespace that takes longer is gone later, and nothing depends on it."""


def leave_home(client: Client, observed: Observed, store: Store, lock: Lock, waiter: Waiter, *, removed: bool) -> None:
    """After removals only: an install that failed at once keeps its key for the next run."""
    if not removed or client.list(
        CONFIG_MAP.collection(store.namespace), {"labelSelector": f"{LABEL_RECORD}=release"}, metadata=True
    ):
        return
    client.delete(SECRET.path(store.namespace, key_name(observed.name)))
    live = client.get(NAMESPACE.path("", store.namespace), accept=METADATA)
    made_by_us = live is not None and CREATED_BY in (live["metadata"].get("annotations") or {})
    inhabitants = Inhabitants(client, observed, [store.namespace])
    others = [name for name in inhabitants.others(store.namespace, set(), set()) if name != f"Lease {NAME}"]
    if live is not None and made_by_us and not others:
        # With the Lease in it: nobody begins while it goes.
        path, uid = NAMESPACE.path("", store.namespace), live["metadata"]["uid"]
        client.delete(path, uid=uid)
        lock.forget()
        waiter.until_gone({path: uid}, _PATIENCE)
        return
    client.delete(LEASE.path(store.namespace, NAME))
    lock.forget()


def left_home(observed: Observed, namespace: str) -> bool:
    """Whether a removal of the last add-on died before it had left."""
    home = (observed.namespaces or {}).get(namespace)
    if home is None or observed.records or home.get("deletionTimestamp"):
        return False
    return (home.get("annotations") or {}).get(CREATED_BY) == observed.name
