# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts Kubespray's plays see: those of the plan, and no other.

An action may not change the inventory: it runs in a process of its own. So it returns what it wants under ``RESULT``,
and our callback, which lives in Ansible's main process, does it. Plays that come later then see the chosen hosts alone,
and one for which none is left is skipped as a whole, instead of each of its tasks for each host. That is why this is no
``when`` on the import; and no ``--limit``, for which Kubespray wants cached facts of every other host.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.whoami import identity

RESULT = "slipway_scope"
EVERYBODY = ""
TOUCHED = "hosts"
"""Stands for the hosts of all runs, beside Kubespray's playbooks."""
_LOCAL = "localhost"


@dataclass
class Scope:
    """Of one ``ansible-playbook``. ``runs`` are the hosts of each of Kubespray's playbooks, ``facts`` what the plays
    are to know of hosts that they do not see, ``given`` variables of hosts that they see. ``visited`` are hosts that
    Kubespray has gathered facts of; ``told`` are the ``facts`` that stand in for those of the others."""

    runs: dict[str, list[str]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    narrowed_to: str = EVERYBODY
    present: bool = False
    original: list[str] | None = None
    visited: set[str] = field(default_factory=set)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def obey(self, wanted: Mapping[str, Any], manager: Any) -> None:
        """``manager`` is Ansible's variable manager. In the main process only."""
        inventory = manager._inventory
        if "runs" in wanted:
            self.runs = {name: list(hosts) for name, hosts in wanted["runs"].items()}
            self.facts = dict(wanted["facts"])
            self.given = dict(wanted["given"])
        if "narrow" not in wanted:
            return
        if self.narrowed_to == EVERYBODY:
            self.original = inventory._subset
        self.narrowed_to = str(wanted["narrow"])
        if self.narrowed_to == EVERYBODY:
            inventory._subset = self.original
            return
        chosen = self.runs.get(self.narrowed_to, [])
        # Without localhost the play that widens the scope again would see no host either.
        inventory.subset(",".join([_LOCAL, *chosen]))
        if chosen and self.narrowed_to != TOUCHED:
            self._stand_in(set(chosen), manager)
        for host in self.given.keys() & set(chosen):
            manager.set_nonpersistent_facts(host, self.given[host])

    def _stand_in(self, chosen: set[str], manager: Any) -> None:
        """Of hosts that are seen Kubespray gathers facts: these would lose to ours, or not be gathered at all."""
        for host in self.told.keys() & chosen:
            known = manager._nonpersistent_fact_cache.get(host, {})
            for name, value in self.told.pop(host).items():
                if known.get(name) == value:
                    del known[name]
        self.visited |= chosen
        for host in self.facts.keys() - self.visited:
            self.told[host] = dict(self.facts[host])
            manager.set_nonpersistent_facts(host, dict(self.facts[host]))


CURRENT = Scope()
"""Filled in the main process; actions see it as it was when theirs was forked."""


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks: a number of a process is used again, the two together are not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


@dataclass(frozen=True)
class Holder:
    """Who a run is, for the lock: a text for people, and what tells later whether it still lives."""

    name: str
    controller: dict[str, str]


def myself() -> Holder:
    """In an action: the run is the process that started it."""
    pid = os.getppid()
    mark = uuid.uuid5(uuid.NAMESPACE_OID, f"{_machine()} {_namespace()} {pid} {_started(pid)}").hex[:6]
    return Holder(
        identity(pid, mark), {"boot": _machine(), "pids": _namespace(), "pid": str(pid), "started": _started(pid)}
    )


def is_dead(controller: Mapping[str, str]) -> bool:
    """Whether a run that began on this machine is gone. Of other machines, and other containers, nothing is known."""
    if controller.get("boot") != _machine() or controller.get("pids") != _namespace() or not controller.get("started"):
        return False
    return _started(int(controller["pid"])) != controller["started"]
