# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which hosts can become an image: everything that speaks against it, at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .errors import ImageError, Problem
from .place import Place
from .templates import Identity

PLUGINS = ("calico", "cilium", "cni", "custom_cni", "flannel", "kube-ovn")
"""Network plugins that need nothing on a host but what their own pods write, or the user."""
_NOT_A_WORKER = "seal a worker: it may be prepared for this alone"
_NODE_IP = re.compile(r"--node-ip=([^\s\"']+)")
_NAME = re.compile(r"--hostname-override=([^\s\"']+)")


class Layout(NamedTuple):
    """Where Kubespray has put things, by its variables. ``network_etcd``: the network plugin keeps its data in etcd."""

    config_dir: str = "/etc/kubernetes"
    cert_dir: str = "/etc/kubernetes/ssl"
    manifest_dir: str = "/etc/kubernetes/manifests"
    bin_dir: str = "/usr/local/bin"
    runtime: str = "containerd"
    runtime_dir: str = "/usr/local/bin"
    network_plugin: str = "calico"
    network_etcd: bool = False

    @property
    def kubelet_conf(self) -> str:
        return f"{self.config_dir}/kubelet.conf"

    @property
    def rendered(self) -> tuple[str, str, str]:
        """What Kubespray writes for each node: kubeadm's, the kubelet's settings, and its arguments."""
        return (
            f"{self.config_dir}/kubeadm-client.conf",
            f"{self.config_dir}/kubelet-config.yaml",
            f"{self.config_dir}/kubelet.env",
        )


def check(place: Place, layout: Layout, *, left: bool) -> Identity:
    """Who the host is. ``left``: the cluster has no node of its name any more. Raises ``ImageError``, all at once."""
    problems = [*_kind(place, layout), *_network(place, layout)]
    if not problems:
        problems += _prepared(place, layout)
    own = identity(place, layout)
    if "," in own.address:
        problems.append(
            Problem("SLW-8751", f"it has addresses of two families, {own.address}", "hosts with one can be sealed")
        )
    if not left and place.exists(layout.kubelet_conf):
        problems.append(
            Problem(
                "SLW-8752",
                f"{layout.kubelet_conf} is that of a node which may still be in the cluster",
                "slipway.cluster.image drains it and takes it out first",
            )
        )
    if problems:
        raise ImageError(*problems)
    return own


def identity(place: Place, layout: Layout) -> Identity:
    """As the kubelet is told."""
    text = place.text(f"{layout.config_dir}/kubelet.env")
    name, address = _NAME.search(text), _NODE_IP.search(text)
    return Identity(name[1] if name else "", address[1] if address else "")


def _kind(place: Place, layout: Layout) -> Iterator[Problem]:
    signs = [f"{layout.config_dir}/{name}.conf" for name in ("admin", "super-admin", "controller-manager", "scheduler")]
    signs += [f"{layout.manifest_dir}/kube-{name}.yaml" for name in ("apiserver", "controller-manager", "scheduler")]
    for sign in signs:
        if place.exists(sign):
            yield Problem("SLW-8751", f"it is a control plane host: it has {sign}", _NOT_A_WORKER)
            break
    for sign in ("/etc/etcd.env", f"{layout.manifest_dir}/etcd.yaml", "/var/lib/etcd/member"):
        if place.exists(sign):
            yield Problem("SLW-8751", f"it is a member of etcd: it has {sign}", _NOT_A_WORKER)
            break


def _network(place: Place, layout: Layout) -> Iterator[Problem]:
    if layout.network_plugin not in PLUGINS:
        yield Problem(
            "SLW-8753",
            f"with kube_network_plugin {layout.network_plugin} Kubespray writes files for each node that are not here",
            f"images are made with one of {', '.join(PLUGINS)}",
        )
    if layout.network_etcd or place.exists("/etc/calico/certs/key.pem"):
        yield Problem(
            "SLW-8753",
            f"{layout.network_plugin} keeps its data in etcd, so each node needs a client certificate for etcd",
            "use the plugin's data store in the API (calico_datastore kdd, cilium_identity_allocation_mode crd)",
        )


def _prepared(place: Place, layout: Layout) -> Iterator[Problem]:
    needed = [*layout.rendered, layout.kubelet_conf, f"{layout.bin_dir}/kubelet", f"{layout.bin_dir}/kubeadm"]
    missing = [path for path in needed if not place.exists(path)]
    if missing:
        yield Problem(
            "SLW-8754",
            f"there is no {', '.join(missing)}",
            "let slipway.cluster.scale make it a worker first: what that prepares is what becomes an image",
        )
