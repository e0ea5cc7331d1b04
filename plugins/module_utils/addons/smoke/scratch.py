# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A namespace for one smoke check: it goes when the check ends, however it ends, and everything in it goes with it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from ...kube.client import METADATA, Client
from ...kube.errors import KubeError
from ...kube.objects import NAMESPACE, Json, Resource
from ..desired import MANAGER
from ..work import Event

LABEL_SMOKE = "slipway.cluster/smoke"
LABEL_SMOKE_ADDON = "slipway.cluster/smoke-addon"
_ACCOUNT = Resource("", "v1", "ServiceAccount", "serviceaccounts", True)
_ACCOUNT_PATIENCE = 10.0


@contextmanager
def scratch(client: Client, owner: str, addon: str) -> Iterator[str]:
    """The name of a new namespace. Its removal is asked for and not waited for: that takes seconds, and nobody needs
    the name again. ``owner`` is the ``slipway_name``."""
    name = f"slipway-smoke-{secrets.token_hex(4)}"
    body: Json = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {LABEL_SMOKE: owner, LABEL_SMOKE_ADDON: addon}},
    }
    path = NAMESPACE.path("", name)
    try:
        client.apply(path, body, manager=MANAGER)
        _wait_for_account(client, name)
        yield name
    except BaseException:
        # What went wrong first is told; what is left is found by its label.
        with suppress(KubeError):
            client.delete(path)
        raise
    client.delete(path)


def remove_leftovers(client: Client, seen: Mapping[str, Json] | None, owner: str) -> list[Event]:
    """Namespaces of checks whose run was killed go; an event for each. Only while the lock is held: then no check is
    going on. ``seen``: metadata of namespaces by name, None where they may not be listed."""
    left = [
        meta
        for meta in (seen or {}).values()
        if (meta.get("labels") or {}).get(LABEL_SMOKE) == owner and not meta.get("deletionTimestamp")
    ]
    gone = [meta["name"] for meta in left if client.delete(NAMESPACE.path("", meta["name"]), uid=meta["uid"])]
    return [Event("", "cleaned", f"namespace {name} of a smoke check that was cut off") for name in gone]


def _wait_for_account(client: Client, namespace: str) -> None:
    """Pods are refused until their default account is there."""
    deadline = time.monotonic() + _ACCOUNT_PATIENCE
    while client.get(_ACCOUNT.path(namespace, "default"), accept=METADATA) is None and time.monotonic() < deadline:
        time.sleep(0.05)
