# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The cluster of a lab: its control plane and what plays the kubelets."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab import controlplane, procs
from lab.api import Api
from lab.running import spawn, wait
from lab.state import State

PROCESSES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
SERVER = "kube-apiserver"


def runs(current: State) -> bool:
    """Tell whether the lab has a cluster now."""
    return SERVER in current.processes


def start_server(current: State, folder: Path) -> None:
    """Start etcd and the API server; it answers some seconds later."""
    server = controlplane.apiserver(current.programs[SERVER], folder, current.ports)
    spawn(current, folder, "etcd", controlplane.etcd(current.programs["etcd"], folder, current.ports))
    spawn(current, folder, SERVER, server)


def start_rest(current: State, folder: Path) -> None:
    """Start what talks to the API server, once that answers."""
    wait_for_api(current, folder)
    programs = current.programs
    name = "kube-controller-manager"
    spawn(current, folder, name, controlplane.controller_manager(programs[name], folder))
    spawn(current, folder, "kube-scheduler", controlplane.scheduler(programs["kube-scheduler"], folder))
    spawn(current, folder, "kwok", controlplane.kwok(programs["kwok"], folder))


def wait_for_accounts(current: State, folder: Path) -> None:
    """Wait until pods could be made: the namespace default has its ServiceAccount."""
    api = Api(current.ports["apiserver"], folder / "pki")
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    wait(current, folder, "the first ServiceAccount", lambda: api.call("GET", account)[0] == 200)
    api.close()


def stop(current: State, folder: Path) -> None:
    """End the cluster; nothing of it is left, its authority and its address excepted."""
    going = [current.processes.pop(name) for name in PROCESSES if name in current.processes]
    current.save(folder)
    procs.stop(going)
    shutil.rmtree(folder / "etcd", ignore_errors=True)


def wait_for_api(current: State, folder: Path) -> None:
    """Wait until the API server answers and all its parts have started."""
    api = Api(current.ports["apiserver"], folder / "pki")
    wait(current, folder, "the API server", api.ready)
    api.close()
