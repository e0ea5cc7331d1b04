# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The groups of an inventory, as Kubespray and the node operations need them: written down, not made during a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..nodes.problem import Problem, Severity
from .near import distance

CONTROL_PLANE, NODES, ETCD, CLUSTER = "kube_control_plane", "kube_node", "etcd", "k8s_cluster"
KNOWN = (CONTROL_PLANE, NODES, ETCD, CLUSTER, "calico_rr", "bastion", "no_floating")
_MEMBERS = (CONTROL_PLANE, NODES, "calico_rr")
_ANSIBLES = frozenset({"all", "ungrouped"})
_OLD = {
    "kube-master": CONTROL_PLANE,
    "kube_master": CONTROL_PLANE,
    "kube-control-plane": CONTROL_PLANE,
    "masters": CONTROL_PLANE,
    "kube-node": NODES,
    "kube-nodes": NODES,
    "kube_nodes": NODES,
    "kube_worker": NODES,
    "kube-worker": NODES,
    "workers": NODES,
    "k8s-cluster": CLUSTER,
    "calico-rr": "calico_rr",
    "no-floating": "no_floating",
}
NODE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LONGEST_NAME = 253
_SLIPS = 2


@dataclass(frozen=True)
class Inventory:
    """``groups`` maps each group to its hosts, children's included, in the order of the inventory.

    ``where`` tells where a group or host was written, for messages; ``former`` maps ``kube_control_plane`` and ``etcd``
    to the host that the cluster record names as their first one.
    """

    groups: Mapping[str, Sequence[str]]
    hosts: Sequence[str]
    where: Callable[[str], str] = lambda name: ""
    former: Mapping[str, str] = field(default_factory=dict)


def check_groups(inventory: Inventory, *, etcd_by_kubeadm: bool = False) -> list[Problem]:
    """All that is wrong with the groups. ``etcd_by_kubeadm``: etcd runs as pods of the control plane."""
    return [
        *_roles(inventory, etcd_by_kubeadm),
        *_cluster(inventory),
        *_names_of_groups(inventory),
        *_hosts(inventory),
        *first_hosts_changed(inventory.groups, inventory.former),
        *_bastion(inventory),
    ]


def first_hosts_changed(groups: Mapping[str, Sequence[str]], former: Mapping[str, str]) -> list[Problem]:
    """A problem for each group whose first host is another than ``former`` says.

    Kubespray does on the first host what is done once, takes certificates from there, and cannot replace it.
    """
    return [
        Problem(
            "SLW-8018",
            f"the first host of {group} was {old} and is {groups[group][0]} now",
            f"put {old} first again, and new hosts at the end; to replace it, see docs/preflight.md",
            f"group {group}",
        )
        for group, old in former.items()
        if groups.get(group) and groups[group][0] != old
    ]


def _roles(inventory: Inventory, etcd_by_kubeadm: bool) -> list[Problem]:
    found = []
    groups = inventory.groups
    if not groups.get(CONTROL_PLANE):
        remedy = f"put the hosts that carry the API server into the group {CONTROL_PLANE}"
        found.append(Problem("SLW-8011", f"the group {CONTROL_PLANE} has no hosts", remedy, f"group {CONTROL_PLANE}"))
    if not groups.get(NODES):
        said = f"the group {NODES} has no hosts: nothing that you deploy can run"
        remedy = f"put workers into {NODES}, or control plane hosts that shall carry pods"
        found.append(Problem("SLW-8012", said, remedy, f"group {NODES}", severity=Severity.WARNING))
    etcd = groups.get(ETCD, ())
    if not etcd and not etcd_by_kubeadm:
        remedy = f"put the control plane hosts into {ETCD}, too, or set etcd_deployment_type: kubeadm"
        found.append(Problem("SLW-8013", f"the group {ETCD} has no hosts", remedy, f"group {ETCD}"))
    if etcd and len(etcd) % 2 == 0:
        said = f"the group {ETCD} has {len(etcd)} hosts: an even number bears no more losses than one host less"
        found.append(Problem("SLW-8014", said, "use 1, 3 or 5 hosts; Kubespray refuses the rest", f"group {ETCD}"))
    return found


def _cluster(inventory: Inventory) -> list[Problem]:
    groups = inventory.groups
    children = f"{CLUSTER}: {{children: {{{CONTROL_PLANE}: {{}}, {NODES}: {{}}}}}}"
    if CLUSTER not in groups:
        said = f"the inventory has no group {CLUSTER}: nobody reads its variables, and a limit changes who is in it"
        return [Problem("SLW-8010", said, f"write it down: {children}", f"group {CLUSTER}")]
    missing = sorted({host for name in _MEMBERS for host in groups.get(name, ())} - set(groups[CLUSTER]))
    if missing:
        said = f"the group {CLUSTER} is without {_few(missing)}"
        return [Problem("SLW-8010", said, f"let it have the other groups as children: {children}", f"group {CLUSTER}")]
    return []


def _names_of_groups(inventory: Inventory) -> list[Problem]:
    found = []
    for name in sorted(set(inventory.groups) - set(KNOWN) - _ANSIBLES):
        right = _OLD.get(name) or _near(name)
        if right:
            said = f"the group {name} is not one that Kubespray knows: it means {right}"
            found.append(Problem("SLW-8015", said, f"rename it to {right}", inventory.where(name) or f"group {name}"))
        if name in inventory.hosts:
            said = f"{name} is the name of a group and of a host"
            found.append(Problem("SLW-8017", said, "give one of them another name", inventory.where(name)))
    return found


def _near(name: str) -> str:
    folded = name.lower().replace("-", "_")
    return next((known for known in KNOWN if len(known) > 4 and distance(folded, known, _SLIPS) <= _SLIPS), "")


def _hosts(inventory: Inventory) -> list[Problem]:
    found = []
    members = [host for name in (*_MEMBERS, ETCD) for host in inventory.groups.get(name, ())]
    for host in dict.fromkeys(members):
        if not NODE_NAME.fullmatch(host) or len(host) > _LONGEST_NAME:
            said = f"{host} cannot be the name of a node: lower-case letters, digits, '-' and '.' make one"
            remedy = "rename the host in the inventory"
            found.append(Problem("SLW-8017", said, remedy, inventory.where(host), host=host))
    known = {host for name in KNOWN for host in inventory.groups.get(name, ())}
    others = [host for host in inventory.hosts if host not in known and host != "localhost"]
    if others:
        verb = "is" if len(others) == 1 else "are"
        said = (
            f"{_few(others)} {verb} in none of Kubespray's groups, and its first plays visit all hosts of the inventory"
        )
        remedy = "keep hosts that are not of this cluster in an inventory of their own"
        found.append(Problem("SLW-8016", said, remedy, severity=Severity.HINT))
    return found


def _bastion(inventory: Inventory) -> list[Problem]:
    if "bastion" not in inventory.hosts and not inventory.groups.get("bastion"):
        return []
    said = "for a host or group named bastion Kubespray writes into its own installed files and changes ssh's options"
    remedy = "describe the jump host in ssh's own configuration, or in ansible_ssh_common_args, under another name"
    return [Problem("SLW-8019", said, remedy, inventory.where("bastion"), severity=Severity.WARNING)]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
