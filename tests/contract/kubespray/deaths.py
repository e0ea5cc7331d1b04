# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs that die, or stand still, when a task begins; and what is left of them."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.node import accounts
from tests.contract.fixtures.session import Running
from tests.contract.kubespray.operations import Operations

CALLBACKS = Path(__file__).parent / "callbacks"
TOKENS = "bootstrap.kubernetes.io/token"
# Between a run's begin and the first thing that it leaves anywhere.
BEFORE_THE_LOCK = {
    "planning": "nodes : Compare the nodes with the inventory",
    "looking at hosts": "preflight : Look at the host",
    "judging": "preflight : Judge all of it together",
    "locking": "nodes : Let nobody else work on the nodes, where something is to be done",
}
THROUGH = "nodes : Wait for these nodes, and record them"
RECORDED = "nodes : Nobody joins with this token any more"


def dies(site: Operations, playbook: str, task: str, **extra: Any) -> str:
    """A run that is killed when this task begins; what it has said until then."""
    ran = site.does(playbook, env={"AT_TASK": task}, **extra)
    assert ran.status == -signal.SIGKILL, ran.out
    return ran.out


def held(site: Operations, playbook: str, task: str) -> Running:
    """A run that stands still before this task."""
    file = site.tmp / f"held-{time.monotonic_ns()}"
    run = site.start(playbook, env={"AT_TASK": task, "AT_FILE": str(file)})
    deadline = time.monotonic() + 300
    while not file.exists():
        assert run.process.poll() is None, run.text
        assert time.monotonic() < deadline, run.text
        time.sleep(0.1)
    return run


def rights(site: Operations) -> list[str]:
    """What gives a run rights in the cluster: accounts and bindings of installers, and leases of readers."""
    marked = f"?labelSelector={accounts.LABEL_RECORD}%3D{accounts.RECORD}"
    paths = (f"{accounts.RBAC}/clusterrolebindings", "/api/v1/serviceaccounts", "/api/v1/secrets")
    found = [item["metadata"]["name"] for path in paths for item in site.get(path + marked)["items"]]
    return [name for name in found if name.startswith((accounts.installer_name(""), accounts.lease_name("")))]
