# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Ansible can read a file of tasks: an unknown module there would end the whole run, in the middle of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.mod_args import ModuleArgsParser
from ansible.playbook.task import Task

from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Position

from . import origin

_INCLUDES = ("import_tasks", "include_tasks", "import_role", "include_role")
_SECTIONS = ("block", "rescue", "always")


def reader(loader: DataLoader, near: Task) -> Callable[[str], tuple[Position, str] | None]:
    """A look at a file: where and why Ansible cannot read it, or None. ``near``: a task of the role that will include
    it, whose modules can be named there. What the file itself includes is read when its turn comes."""

    def look(file: str) -> tuple[Position, str] | None:
        try:
            for item in _tasks(_load(loader, file)):
                _read(item, loader, near)
        except AnsibleError as error:
            return origin.position(getattr(error, "obj", None)) or Position(file), _first_line(error)
        return None

    return look


def _load(loader: DataLoader, file: str) -> Any:
    # Reading a task writes into what was read.
    more = {"trusted_as_template": True} if origin.TAGS else {}
    return loader.load_from_file(file, cache="none", **more)


def _tasks(found: Any) -> Iterator[Any]:
    for item in found or ():
        sections = [s for s in _SECTIONS if isinstance(item, Mapping) and s in item]
        if "block" not in sections:
            yield item
        for section in sections if "block" in sections else ():
            yield from _tasks(item[section])


def _read(item: Any, loader: DataLoader, near: Task) -> None:
    action, _args, _host = ModuleArgsParser(item).parse(skip_action_validation=True)
    if str(action).rpartition(".")[2] not in _INCLUDES:
        Task.load(item, block=getattr(near, "_parent", None), role=getattr(near, "_role", None), loader=loader)


def _first_line(error: AnsibleError) -> str:
    return str(error.message).strip().split("\n", 1)[0]
