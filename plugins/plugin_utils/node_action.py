# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on nodes have in common: the cluster for as long as the task runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import StoppedError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import INSTALLER, READER
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem, Severity

from . import session
from .cluster import opened
from .controller_action import ControllerAction

display = Display()

NODE_GROUPS = ("kube_control_plane", "kube_node", "calico_rr")
"""Kubespray's groups whose hosts are nodes. Hosts of ``etcd`` alone are none."""


class NodeAction(ControllerAction):
    """Has a client of the cluster, for as long as the task runs."""

    @contextmanager
    def client(self, variables: Mapping[str, Any], *, agent: str, reads: bool = False) -> Iterator[Client]:
        """``reads``: nothing will be written. Check mode only ever reads."""
        args = self._task.args
        self._masker.add([str(args["api_token"])] if args.get("api_token") else [])
        alive = session.lives_on(os.getppid())
        rights = READER if reads or self._task.check_mode else INSTALLER
        with opened(
            self, args, variables, rights=rights, masker=self._masker, alive=alive, tidy=lambda: False
        ) as cluster:
            client = Client(cluster.access, user_agent=f"slipway ({agent})")

            def guard() -> None:
                if not alive():
                    raise StoppedError("SLW-6103", "the run that started this has ended")

            client.guard = guard
            try:
                yield client
            finally:
                client.close()


class Teller:
    """``  12.3 s  worker7              draining   3 pods to go``; the columns are those of add-ons."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, node: str, state: str, detail: str) -> None:
        seconds = time.monotonic() - self._started
        display.display(f"{seconds:7.1f} s  {node:<20} {state:<10} {detail}".rstrip())


def stop_at(problems: Sequence[Problem]) -> None:
    """Warnings and hints are shown. Raises ``NodesError`` with all problems when one of them is an error."""
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise NodesError(problems)
    for problem in problems:
        display.warning(str(problem))
