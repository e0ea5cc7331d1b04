# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts and groups of an inventory source in the place of what it brought before."""

from __future__ import annotations

import json
from typing import Any

from lab.awx.incoming import variables
from lab.awx.kinds import KINDS
from lab.awx.store import Object, Store


def take_over(store: Store, source: Object, content: dict[str, Any]) -> None:
    """``content``: what ``ansible-inventory --list --export`` prints. Whatever the source does not have any more goes
    when it overwrites; variables are joined with those that are there unless it overwrites these."""
    hostvars = content.pop("_meta", {}).get("hostvars", {})
    names = _host_names(content) | set(hostvars)
    inventory = store.get("inventories", source["inventory"])
    hosts = {name: _put(store, source, "hosts", name, hostvars.get(name, {})) for name in sorted(names)}
    groups = {
        name: _put(store, source, "groups", name, group.get("vars", {}))
        for name, group in content.items()
        if name not in ("all", "ungrouped")
    }
    own = content.get("all", {}).get("vars", {})
    _set_variables(store, inventory, own, overwrite=source["overwrite_vars"])
    kind = KINDS["groups"]
    for name, group in groups.items():
        for link, known in (("hosts", hosts), ("children", groups)):
            wanted = [known[member]["id"] for member in content[name].get(link, ()) if member in known]
            for number in store.linked(kind, group["id"], link):
                if number not in wanted and source["overwrite"]:
                    store.unlink(kind, group["id"], link, number)
            for number in wanted:
                store.link(kind, group["id"], link, number)
    if source["overwrite"]:
        for list_name, kept in (("hosts", hosts), ("groups", groups)):
            for gone_kind, thing in store.all(list_name, inventory=inventory["id"]):
                if thing.get("source") == source["id"] and thing["name"] not in kept:
                    store.remove(gone_kind, thing["id"])


def _host_names(content: dict[str, Any]) -> set[str]:
    return {name for group in content.values() for name in group.get("hosts", ())}


def _put(store: Store, source: Object, list_name: str, name: str, own: dict[str, Any]) -> Object:
    thing = store.one(list_name, name=name, inventory=source["inventory"])
    if thing is None:
        values = {"name": name, "inventory": source["inventory"], "description": "imported", "source": source["id"]}
        thing = store.add(KINDS[list_name], values)
    _set_variables(store, thing, own, overwrite=source["overwrite_vars"])
    return thing


def _set_variables(store: Store, thing: Object, own: dict[str, Any], *, overwrite: bool) -> None:
    joined = own if overwrite else {**variables(thing["variables"]), **own}
    store.update(thing, {"variables": json.dumps(joined)})
