# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that a user has set: by inventory, group_vars, host_vars and -e, each where it was written.

Ansible merges them with role defaults, facts and results long before a task sees them, so they are read again at
their sources. Other vars plugins than Ansible's own are not asked: they may do more than read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.loader import vars_loader
from ansible.utils.vars import load_extra_vars

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.expressions import Reader
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.variables import Opaque, SetVariable

from . import origin


def read(variables: Mapping[str, Any]) -> list[SetVariable]:
    """Group by group and host by host, in the order of their names; extra variables last."""
    hostvars = variables["hostvars"]
    inventory, loader = hostvars._inventory, hostvars._loader
    files = vars_loader.get("ansible.builtin.host_group_vars")
    folders = list(_folders(variables.get("ansible_inventory_sources") or []))
    found: list[SetVariable] = []
    entities = [(f"group {name}", group) for name, group in sorted(inventory.groups.items())]
    entities += [(f"host {name}", host) for name, host in sorted(inventory.hosts.items())]
    for told, entity in entities:
        found += [_variable(name, value, told) for name, value in entity.vars.items()]
        for folder in folders:
            values = files.get_vars(loader, folder, [entity])
            found += [_variable(name, value, told) for name, value in values.items()]
    extra = getattr(load_extra_vars, "extra_vars", None) or {}
    found += [_variable(name, value, origin.EXTRA, extra=True) for name, value in extra.items()]
    return found


def referenced(variables: Iterable[SetVariable]) -> set[str]:
    """Names that templates in the values read."""
    reader = Reader()
    for variable in variables:
        for text in _texts(variable.value):
            reader.template(text)
    return reader.reads.names | reader.reads.unclear


def _variable(name: object, value: object, told: str, *, extra: bool = False) -> SetVariable:
    place = origin.position(name) or origin.position(value)
    literal = isinstance(value, str) and origin.is_literal(value)
    plain = Opaque.VAULTED if origin.is_vaulted(value) else value
    return SetVariable(str(name), plain, str(place or told), extra=extra, literal=literal)


def _folders(sources: Iterable[object]) -> Iterator[str]:
    """The folders beside which Ansible looks for group_vars and host_vars."""
    for source in sources:
        text = str(source)
        path = Path(text)
        if "," in text and not path.exists():
            continue  # a list of hosts
        yield str(path if path.is_dir() else path.parent)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for child in value.values():
            yield from _texts(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _texts(child)
    elif isinstance(value, str) and not origin.is_vaulted(value):
        yield str.__str__(value)
