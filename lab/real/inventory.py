# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory of the real lab, and what Kubespray must be told on hosts that are containers without a way out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lab.cache import sha256_of
from lab.real import login
from lab.real.model import MIRROR, Host, Run

# Kubespray's prefix of the variables, the file in the mirror, and what the variable of its checksum is named after.
DOWNLOADS = (
    ("kubeadm", "kubeadm-{kubernetes}", "binary"),
    ("kubectl", "kubectl-{kubernetes}", "binary"),
    ("kubelet", "kubelet-{kubernetes}", "binary"),
    ("runc", "runc", "binary"),
    ("cni", "cni.tgz", "binary"),
    ("crictl", "crictl.tgz", "binary"),
    ("etcd", "etcd.tgz", "binary"),
    ("containerd", "containerd.tgz", "archive"),
    ("nerdctl", "nerdctl.tgz", "archive"),
)
FEW_PARTS: dict[str, Any] = {
    "kube_network_plugin": "cni",
    "etcd_deployment_type": "kubeadm",
    "enable_nodelocaldns": False,
    "enable_dns_autoscaler": False,
    "loadbalancer_apiserver_localhost": False,
    "image_command_tool": "crictl",
    "resolvconf_mode": "none",
}
# Hosts that share a kernel: control groups of version 1, no modules, limits that cannot be raised.
CONTAINERS: dict[str, Any] = {
    "kubelet_fail_cgroup_v1": False,
    "kubeadm_ignore_preflight_errors": ["SystemVerification"],
    "kubelet_protect_kernel_defaults": False,
    "kube_proxy_mode": "iptables",
    "kube_proxy_conntrack_max_per_core": 0,
    "containerd_extra_runtime_args": {"restrict_oom_score_adj": True},
    "containerd_base_runtime_spec_rlimit_nofile": 20000,
}


def write(run: Run, hosts: Iterable[Host], mirror: Path) -> Path:
    """Write ``inventory/`` of the run and return it: ``hosts.yml`` and ``group_vars/all/kubespray.yml``."""
    folder = run.folder / "inventory"
    everybody = folder / "group_vars" / "all"
    everybody.mkdir(parents=True, exist_ok=True)
    (folder / "hosts.yml").write_text(yaml.safe_dump(groups(hosts), sort_keys=False))
    told = variables(run.folder, mirror, run.kubernetes) | login.variables(run)
    (everybody / "kubespray.yml").write_text(yaml.safe_dump(told, sort_keys=False))
    return folder


def groups(hosts: Iterable[Host]) -> dict[str, Any]:
    """The groups that Kubespray wants, none of them computed."""
    listed = list(hosts)
    planes = {host.name: None for host in listed if host.control_plane}
    workers = {host.name: None for host in listed if not host.control_plane}
    about = {host.name: dict.fromkeys(("ansible_host", "ip", "access_ip"), host.address) for host in listed}
    return {
        "all": {
            "hosts": about,
            "children": {
                "kube_control_plane": {"hosts": planes},
                "etcd": {"hosts": dict(planes)},
                "kube_node": {"hosts": workers},
                "k8s_cluster": {"children": {"kube_control_plane": None, "kube_node": None}},
            },
        }
    }


def variables(folder: Path, mirror: Path, kubernetes: str) -> dict[str, Any]:
    """Variables of all hosts; ``folder`` takes what Kubespray writes on the controller."""
    access = {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "artifacts_dir": str(folder / "artifacts"),
        "credentials_dir": str(folder / "credentials"),
    }
    registry = f"http://{MIRROR}"
    images = {
        "kube_image_repo": f"{MIRROR}/k8s",
        "etcd_image_repo": f"{MIRROR}/k8s/etcd",
        "containerd_registries_mirrors": [
            {
                "prefix": MIRROR,
                "server": registry,
                "mirrors": [{"host": registry, "capabilities": ["pull", "resolve"], "skip_verify": True}],
            }
        ],
    }
    files: dict[str, Any] = {"kube_version": kubernetes.removeprefix("v")}
    for prefix, named, kind in DOWNLOADS:
        name = named.format(kubernetes=kubernetes)
        files[f"{prefix}_download_url"] = f"{registry}/files/{name}"
        files[f"{prefix}_{kind}_checksum"] = f"sha256:{sha256_of(mirror / 'files' / name)}"
    return access | FEW_PARTS | CONTAINERS | images | files
