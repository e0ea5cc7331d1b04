# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An inventory as a job gets it: what its script prints."""

from __future__ import annotations

from typing import Any

from lab.awx.incoming import variables
from lab.awx.kinds import KINDS
from lab.awx.store import Object, Store


def script(store: Store, inventory: Object, *, hostvars: bool, towervars: bool) -> dict[str, Any]:
    """Groups, and with ``hostvars`` the hosts' variables; ``towervars`` adds what AWX knows of each host."""
    hosts = sorted(
        (host for _kind, host in store.all("hosts", inventory=inventory["id"]) if host["enabled"]),
        key=lambda host: str(host["name"]),
    )
    names = {host["id"]: host["name"] for host in hosts}
    groups = [group for _kind, group in store.all("groups", inventory=inventory["id"])]
    grouped: set[str] = set()
    found: dict[str, Any] = {"all": {}}
    own = variables(inventory["variables"])
    if own:
        found["all"]["vars"] = own
    for group in groups:
        content = _group(store, group, names)
        grouped |= set(content.get("hosts", ()))
        if content:
            found[group["name"]] = content
    found["all"]["hosts"] = [name for name in names.values() if name not in grouped]
    if groups:
        found["all"]["children"] = [group["name"] for group in groups]
    if hostvars:
        found["_meta"] = {"hostvars": {host["name"]: _host(host, towervars=towervars) for host in hosts}}
    return found


def _group(store: Store, group: Object, names: dict[int, str]) -> dict[str, Any]:
    kind = KINDS["groups"]
    hosts = [names[number] for number in store.linked(kind, group["id"], "hosts") if number in names]
    children = [store.get("groups", number)["name"] for number in store.linked(kind, group["id"], "children")]
    own = variables(group["variables"])
    return {name: value for name, value in {"hosts": hosts, "children": children, "vars": own}.items() if value}


def _host(host: Object, *, towervars: bool) -> dict[str, Any]:
    own = dict(variables(host["variables"]))
    if towervars:
        for prefix in ("host", "tower"):
            own[f"remote_{prefix}_enabled"] = str(host["enabled"]).lower()
            own[f"remote_{prefix}_id"] = host["id"]
    return own
