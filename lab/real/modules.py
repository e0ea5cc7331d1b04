# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of a real cluster that are built from Go modules, in the versions that Kubespray 2.31.0 expects."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from lab import binaries
from lab.golang import Module

HOME = Path(__file__).resolve().parent / "go"
PLUGINS = "github.com/containernetworking/plugins/plugins"
CONTAINERD = "github.com/containerd/containerd/v2"

CONTROL_PLANE = next(module for module in binaries.MODULES if module.folder == "kubernetes")

NODE = dataclasses.replace(
    CONTROL_PLANE,
    folder="node",
    home=HOME,
    programs=tuple((name, f"k8s.io/kubernetes/cmd/{name}") for name in ("kubeadm", "kubectl", "kubelet", "kube-proxy")),
    expected_seconds=210,
)

EARLIER = "v1.35.3"
"""What an upgrade begins with: the same sources under the number of the patch before. Only linking is done again."""


def _earlier(module: Module) -> Module:
    linked = tuple((name, EARLIER if value == binaries.KUBERNETES else value) for name, value in module.linked)
    return dataclasses.replace(module, version=EARLIER.removeprefix("v"), linked=linked, expected_seconds=60)


KUBERNETES = {
    binaries.KUBERNETES: (CONTROL_PLANE, NODE),
    EARLIER: (_earlier(CONTROL_PLANE), _earlier(NODE)),
}
"""Kubernetes by version; everything else there is once."""

MODULES = (
    Module(
        "containerd",
        "2.2.3",
        tuple((name, f"{CONTAINERD}/cmd/{name}") for name in ("containerd", "containerd-shim-runc-v2", "ctr")),
        ((f"{CONTAINERD}/version.Version", "v2.2.3"),),
        60,
        home=HOME,
        tags="no_btrfs,no_devmapper,no_zfs",
    ),
    Module(
        "cni",
        "1.9.1",
        tuple(
            (path.rpartition("/")[2], f"{PLUGINS}/{path}")
            for path in (
                "ipam/host-local",
                "ipam/static",
                "main/bridge",
                "main/host-device",
                "main/loopback",
                "meta/bandwidth",
                "meta/portmap",
            )
        ),
        (),
        15,
        home=HOME,
    ),
    # The module of the version that Kubespray names cannot be fetched; the next one speaks the same protocol.
    Module("crictl", "1.36.0", (("crictl", "sigs.k8s.io/cri-tools/cmd/crictl"),), (), 60, home=HOME),
    Module(
        "etcd",
        "3.6.10",
        (
            ("etcd", "go.etcd.io/etcd/server/v3"),
            ("etcdctl", "go.etcd.io/etcd/etcdctl/v3"),
            ("etcdutl", "go.etcd.io/etcd/etcdutl/v3"),
        ),
        (),
        60,
        home=HOME,
    ),
    Module("coredns", "1.12.4", (("coredns", "github.com/coredns/coredns"),), (), 120, home=HOME),
    Module("guest", "1", (("pause", "./pause"), ("web", "./web")), (), 10, home=HOME),
)
