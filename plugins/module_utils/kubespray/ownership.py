# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Add-ons that two would own: Kubespray by one of its switches, and the add-on manifest.

Kubespray applies its own without an owner and in every run, so that each would undo what the other did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..nodes.problem import Problem, Severity
from .ranges import parse

_CERT_MANAGER = "cert_manager_enabled"
_CERT_MANAGER_SAFE = (2, 32)

SWITCHES: dict[str, frozenset[str]] = {
    "metrics_server_enabled": frozenset({"metrics-server", "metrics-api"}),
    "cert_manager_enabled": frozenset({"cert-manager", "certificates"}),
    "metallb_enabled": frozenset({"metallb", "load-balancer"}),
    "argocd_enabled": frozenset({"argo-cd", "argocd"}),
    "registry_enabled": frozenset({"registry", "docker-registry"}),
    "node_feature_discovery_enabled": frozenset({"node-feature-discovery", "node-features"}),
    "local_path_provisioner_enabled": frozenset({"local-path-provisioner", "local-path"}),
    "local_volume_provisioner_enabled": frozenset({"local-volume-provisioner", "local-static-provisioner"}),
    "ingress_alb_enabled": frozenset({"aws-load-balancer-controller"}),
    "cinder_csi_enabled": frozenset({"openstack-cinder-csi", "cinder-csi-plugin"}),
    "aws_ebs_csi_enabled": frozenset({"aws-ebs-csi-driver"}),
    "azure_csi_enabled": frozenset({"azuredisk-csi-driver"}),
    "gcp_pd_csi_enabled": frozenset({"gcp-compute-persistent-disk-csi-driver", "gcp-pd-csi-driver"}),
    "upcloud_csi_enabled": frozenset({"upcloud-csi"}),
    "vsphere_csi_enabled": frozenset({"vsphere-csi", "vsphere-csi-driver"}),
    "csi_snapshot_controller_enabled": frozenset({"snapshot-controller"}),
    "gateway_api_enabled": frozenset({"gateway-api", "gateway-api-crds"}),
    "prometheus_operator_crds_enabled": frozenset({"kube-prometheus-stack", "prometheus-operator-crds"}),
    "kubelet_csr_approver_enabled": frozenset({"kubelet-csr-approver"}),
    "nvidia_accelerator_enabled": frozenset({"nvidia-device-plugin", "gpu-operator"}),
    "scheduler_plugins_enabled": frozenset({"scheduler-plugins", "scheduler-plugins-as-a-second-scheduler"}),
}
"""Kubespray's switch to what the same thing is called elsewhere: names of add-ons, charts and capabilities."""

_NETWORKS = {
    "calico": {"calico", "tigera-operator"},
    "cilium": {"cilium"},
    "flannel": {"flannel"},
    "kube-ovn": {"kube-ovn"},
}


@dataclass(frozen=True)
class Wanted:
    """An add-on of the manifest. ``names``: its own, the catalog entry's, the chart's, and what it provides."""

    name: str
    names: frozenset[str]
    where: str = ""


def check_ownership(
    values: Mapping[str, object], addons: Sequence[Wanted], version: str, where: Mapping[str, str]
) -> list[Problem]:
    """Problems for what is switched on in ``values``, Kubespray's variables as they count for the cluster.

    ``where`` tells where a variable was set. ``version`` is Kubespray's.
    """
    found = []
    for switch, names in SWITCHES.items():
        if not _is_on(values.get(switch)):
            continue
        place = where.get(switch, "")
        both = [addon for addon in addons if addon.names & names]
        found += [_twice(switch, f"{switch} is on", addon, place) for addon in both]
        if switch == _CERT_MANAGER and parse(version) < _CERT_MANAGER_SAFE:
            said = f"{switch} makes Kubespray {version} delete the namespace cert-manager in every run, with all in it"
            remedy = f"set {switch}: false and take cert-manager into slipway_addons"
            found.append(Problem("SLW-8022", said, remedy, place))
        elif not both and switch in where:
            said = f"{switch} is on: Kubespray applies it in every run and never removes it"
            remedy = "as an entry of slipway_addons it can be upgraded, compared and removed"
            found.append(Problem("SLW-8023", said, remedy, place, severity=Severity.HINT))
    network = str(values.get("kube_network_plugin") or "")
    said = f"kube_network_plugin is {network}"
    for addon in addons:
        if addon.names & _NETWORKS.get(network, set()):
            found.append(_twice("kube_network_plugin", said, addon, where.get("kube_network_plugin", "")))
    return found


def _twice(switch: str, said: str, addon: Wanted, place: str) -> Problem:
    end = "set kube_network_plugin: cni" if switch == "kube_network_plugin" else f"set {switch}: false"
    return Problem(
        "SLW-8021",
        f"{said}, and {addon.name} in slipway_addons is the same: two would own it",
        f"{end}, or take {addon.name} out",
        place or addon.where,
    )


def _is_on(value: object) -> bool:
    """As Kubespray's conditions see it: any text that is not empty counts, ``"false"`` included."""
    return bool(value)
