# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An inventory of a lab's hosts, as a user would write it for real machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.hosts.machine import python
from lab.hosts.model import USER, Host

CLUSTER_KINDS = ("trusted", "bare", "dead", "silent")
CLUSTER_NAME = re.compile("(control|worker)([0-9]+)")


def write(folder: Path, hosts: Iterable[Host]) -> Path:
    """Write ``hosts.yml`` into the folder, created when absent, and return its path.

    Trusted and bare hosts are the cluster, with those that do not answer; the others stand in a group named after their
    kind. Nothing is said about
    keys: that is the business of who uses the inventory.

    :raises LabError: when there are no hosts.
    """
    hosts = list(hosts)
    if not hosts:
        raise LabError("there are no hosts yet; start some with: python3 -m lab hosts 3")
    members = [host for host in hosts if host.kind in CLUSTER_KINDS]
    control_planes = [host for host in members if host.control_plane]
    groups: dict[str, Any] = {
        "kube_control_plane": _named(control_planes),
        "etcd": _named(control_planes),
        "kube_node": _named([host for host in members if not host.control_plane]),
        "k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}}},
    }
    for kind in sorted({host.kind for host in hosts} - set(CLUSTER_KINDS)):
        groups[kind] = _named([host for host in hosts if host.kind == kind])
    common = {"ansible_user": USER, "ansible_python_interpreter": python()}
    own = {host.name: {"ansible_host": host.address, "ansible_port": host.port} for host in hosts}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "hosts.yml"
    content = {"all": {"vars": common, "hosts": own, "children": groups}}
    file.write_text("---\n" + yaml.safe_dump(content, sort_keys=False))
    return file


def write_cluster(folder: Path, hosts: Iterable[Host], variables: Mapping[str, Any]) -> Path:
    """Write ``hosts.yml`` for operations on nodes and return its path: hosts ``controlN`` and ``workerN``, by number.

    Each has the addresses that others reach it by; ``variables`` are everybody's.

    :raises LabError: when there is no ``controlN``.
    """
    found = {(place[1], int(place[2])): host for host in hosts if (place := CLUSTER_NAME.fullmatch(host.name))}
    members = [found[key] for key in sorted(found)]
    leading = [host for host in members if host.control_plane]
    if not leading:
        raise LabError("there is no host control1 yet; start some with: python3 -m lab machines 1 3")
    own = {
        host.name: {
            "ansible_host": host.address,
            "ansible_port": host.port,
            "ip": host.address,
            "access_ip": host.address,
        }
        for host in members
    }
    groups: dict[str, Any] = {
        "kube_control_plane": _named(leading),
        "etcd": _named(leading),
        "kube_node": _named([host for host in members if not host.control_plane]),
        "k8s_cluster": {"children": {"kube_control_plane": {}, "kube_node": {}}},
    }
    common = {
        "ansible_user": USER,
        "ansible_python_interpreter": python(),
        # A lab's host is a process on this machine: of kernel and control groups it has what the machine has.
        "slipway_preflight_severity": {"SLW-8212": "ignore", "SLW-8213": "ignore", "SLW-8214": "ignore"},
        **variables,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "hosts.yml"
    content = {"all": {"vars": common, "hosts": own, "children": groups}}
    file.write_text("---\n" + yaml.safe_dump(content, sort_keys=False))
    return file


def _named(hosts: Iterable[Host]) -> dict[str, Any]:
    return {"hosts": {host.name: {} for host in hosts}}
