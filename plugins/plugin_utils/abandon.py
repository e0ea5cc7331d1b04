# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that fails ends its claim on the nodes, so that whoever starts the next one need not wait for its expiry.

After a failure Ansible runs no play any more on the host that keeps the lock, and another container, as each job of AWX
is one, cannot see that the run is over. So one task is run when all plays are through, in Ansible's main process, by
its Python API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.playbook.play import Play

from . import scope

_SILENT = "slipway.cluster.session"
"""A callback for the place of the one that prints plays and tasks: this one does not."""


def end_claim(host: str, manager: Any, passwords: Mapping[str, str]) -> bool:
    """Whether ``host`` is told that this run, which has a claim there, is over; what became of the claim is said.
    ``manager`` is Ansible's variable manager, ``passwords`` those that Ansible has asked for."""
    scope.CURRENT.obey({"narrow": scope.EVERYBODY}, manager)
    # The play that failed has left the inventory with its own hosts alone.
    manager._inventory.remove_restriction()
    task = {"slipway.cluster.nodes": {"stage": "abandon", "name": "{{ slipway_name }}"}, "become": True}
    said = {"name": "End a claim", "hosts": host, "gather_facts": False, "tags": ["always"], "tasks": [task]}
    loader = manager._loader
    play = Play().load(said, variable_manager=manager, loader=loader)
    queue = TaskQueueManager(manager._inventory, manager, loader, dict(passwords), _SILENT, False, forks=1)
    try:
        return bool(queue.run(play) == 0)
    finally:
        queue.cleanup()
