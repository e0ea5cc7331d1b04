# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the inventory that become nodes from an image: what they are told, and whether their image fits."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.image.manifest import API_NAMES
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes import join_image
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import (
    Asked,
    Cluster,
    JoinData,
    repeated,
)
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_data import read as read_data
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_fit import Fitting, fits
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_image import Image
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.model import CONTROL_PLANE, Desired
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.record import Store
from ansible_collections.slipway.cluster.plugins.module_utils.session.keys import fingerprint

from . import inventory_nodes, kubespray
from .node_planner import version

_ADDRESSES = ("ip", "ansible_host", "access_ip")
"""As Kubespray tells kubelet: its own address, not the one that others may have to use."""


@dataclass(frozen=True)
class Joins:
    """One host. ``asked`` is what its machine is to be told, ``desired`` what the cluster is to have of it."""

    host: str
    asked: Asked
    desired: Desired
    image: Image


def chosen(variables: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """``names``, or all hosts that the inventory has joining from an image. Raises ``NodesError`` SLW-8703."""
    groups: Mapping[str, list[str]] = variables.get("groups") or {}
    workers, hostvars = groups.get("kube_node") or [], variables["hostvars"]
    if not names:
        names = [host for host in workers if str(hostvars[host].get("slipway_node_source") or "") == "image"]
    problems = [problem for name in names if (problem := _unfit(name, groups))]
    if problems:
        raise NodesError(problems)
    return list(dict.fromkeys(names))


def present(client: Client, variables: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Hosts whose nodes the cluster has already."""
    live = {one["metadata"]["name"] for one in client.list(NODE.collection(), metadata=True)}
    return [name for name in names if inventory_nodes.node_name(name, variables["hostvars"][name]) in live]


def read(variables: Mapping[str, Any], names: Sequence[str], *, files: Path, cache_dir: str) -> list[Joins]:
    """What the inventory says of these hosts. ``files`` is what relative paths start from.

    Raises ``NodesError`` SLW-8710, SLW-8718 and of the installed Kubespray, all hosts' at once.
    """
    index = kubespray.index(cache_dir)
    desired = {one.name: one for one in inventory_nodes.read(variables, index, only=names)}
    found, problems = [], []
    for host in names:
        own = variables["hostvars"][host]
        try:
            image = _image(own.get("slipway_image"), desired[host], files)
        except NodesError as exc:
            problems += exc.problems
            continue
        found.append(Joins(host, _asked(host, own, image, desired[host].where), desired[host], image))
    problems += repeated([one.asked.name for one in found], [one.asked.address for one in found])
    if problems:
        raise NodesError(problems)
    return found


def misfits(client: Client, variables: Mapping[str, Any], joins: Sequence[Joins], namespace: str) -> list[Problem]:
    """All that speaks against these images on this cluster, warnings included."""
    record = Store(client, namespace).read()
    server = version(client)
    runtimes = _runtimes(client)
    found: list[Problem] = []
    for one in joins:
        own = variables["hostvars"][one.host]
        manager = str(own.get("container_manager") or "")
        wanted = Fitting(
            server=server,
            kubespray=record.kubespray if record else "",
            runtimes=frozenset({API_NAMES.get(manager, manager)}) if manager else runtimes,
            network_plugin=str(own.get("kube_network_plugin") or ""),
            architecture=str((own.get("ansible_facts") or {}).get("architecture") or ""),
            trust=_fingerprints(own.get("slipway_user_ca_keys")),
        )
        found += fits(one.image, one.desired, wanted)
    return found


def rendered(joins: Sequence[Joins], cluster: Cluster) -> list[JoinData]:
    """Raises ``NodesError`` with everything that is wrong with any of them."""
    found: list[JoinData] = []
    problems: list[Problem] = []
    for one in joins:
        data, wrong = read_data(one.asked, cluster)
        problems += wrong
        found += [] if data is None else [data]
    if problems:
        raise NodesError(list(dict.fromkeys(problems)))
    return found


def batch_of(joins: Sequence[Joins], files: Mapping[str, str]) -> list[dict[str, str]]:
    """What starts the machines: ``slipway_batch``."""
    return [
        {
            "name": one.asked.name,
            "host": one.host,
            "address": one.asked.address,
            "user_data_file": files.get(one.asked.name, ""),
        }
        for one in joins
    ]


def control_plane(variables: Mapping[str, Any]) -> set[str]:
    """Names of nodes that never join this way."""
    leading = (variables.get("groups") or {}).get("kube_control_plane") or []
    return {inventory_nodes.node_name(host, variables["hostvars"][host]) for host in leading}


def _asked(host: str, own: Mapping[str, Any], image: Image, where: str) -> Asked:
    address = next((inventory_nodes.plain_text(own[key]) for key in _ADDRESSES if own.get(key)), "")
    name = inventory_nodes.node_name(host, own)
    return Asked(name, address, image.digest, own.get("node_taints"), own.get("slipway_join_files"), where)


def _unfit(name: str, groups: Mapping[str, Sequence[str]]) -> Problem | None:
    others = [group for group in ("kube_control_plane", "etcd", "calico_rr") if name in (groups.get(group) or ())]
    if others:
        message = f"{name} is in {' and '.join(others)}; these hosts never join from an image"
        return Problem("SLW-8703", message, "slipway.cluster.install builds it over SSH", host=name)
    if name not in (groups.get("kube_node") or ()):
        return Problem("SLW-8703", f"{name} is no host of the group kube_node", "names are whole", host=name)
    return None


def _image(given: object, host: Desired, files: Path) -> Image:
    """Raises ``NodesError``."""
    if not given:
        remedy = "slipway_image is the path of a copy of the image's /etc/slipway/image.json"
        raise NodesError([Problem("SLW-8718", f"{host.name} has no slipway_image", remedy, host.where, host.name)])
    path = files / Path(str(given)).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        problem = Problem("SLW-8718", f"{host.name}: its image's manifest cannot be read: {exc}", "", host.where)
        raise NodesError([problem]) from exc
    return join_image.read(text, str(path))


def _runtimes(client: Client) -> frozenset[str]:
    """Of the nodes that are there, but those of the control plane: what they have, new ones are to have."""
    nodes = client.list(NODE.collection())
    labels = (f"node-role.kubernetes.io/{CONTROL_PLANE}", "node-role.kubernetes.io/master")
    workers = [one for one in nodes if not any(label in one["metadata"].get("labels", {}) for label in labels)]
    told = {
        str(((one.get("status") or {}).get("nodeInfo") or {}).get("containerRuntimeVersion", ""))
        for one in workers or nodes
    }
    return frozenset(one.partition("://")[0] for one in told if one)


def _fingerprints(keys: object) -> frozenset[str]:
    """Of public keys in OpenSSH's form, as ``ssh-keygen -l`` says them."""
    given = [keys] if isinstance(keys, str) else keys if isinstance(keys, (list, tuple)) else []
    found = set()
    for key in given:
        parts = str(key).split()
        try:
            found.add(fingerprint(base64.b64decode(parts[1], validate=True)))
        except (IndexError, binascii.Error):
            continue
    return frozenset(found)
