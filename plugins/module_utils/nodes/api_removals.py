# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Versions of Kubernetes' own APIs that a version of Kubernetes no longer serves.

From Kubernetes' sources: ``APILifecycleRemoved`` in ``zz_generated.prerelease-lifecycle.go`` of ``k8s.io/api`` v0.37.0
(where it differs from an older one, the newer holds), and for the groups outside of it, and for kinds that are gone
from the sources, the Deprecated API Migration Guide (https://kubernetes.io/docs/reference/using-api/deprecation-guide/).
What lies ahead of v0.37.0 is what those sources announce. Only kinds that somebody writes are listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_ADMISSION, _FLOW = "admissionregistration.k8s.io", "flowcontrol.apiserver.k8s.io"
_RBAC, _DRA = "rbac.authorization.k8s.io", "resource.k8s.io"
_CLAIMS = "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice"
_TABLE: tuple[tuple[int, str, str, str], ...] = (
    (16, "apps/v1beta1", "ControllerRevision Deployment StatefulSet", "apps/v1"),
    (16, "apps/v1beta2", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet", "apps/v1"),
    (16, "extensions/v1beta1", "DaemonSet Deployment ReplicaSet", "apps/v1"),
    (16, "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
    (16, "extensions/v1beta1", "PodSecurityPolicy", ""),
    (22, f"{_ADMISSION}/v1beta1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration", f"{_ADMISSION}/v1"),
    (22, "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    (22, "apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1"),
    (22, "certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    (22, "coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1"),
    (22, "extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
    (22, "networking.k8s.io/v1beta1", "Ingress IngressClass", "networking.k8s.io/v1"),
    (22, f"{_RBAC}/v1beta1", "ClusterRole ClusterRoleBinding Role RoleBinding", f"{_RBAC}/v1"),
    (22, "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1"),
    (22, "storage.k8s.io/v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment", "storage.k8s.io/v1"),
    (24, "storage.k8s.io/v1alpha1", "CSIStorageCapacity VolumeAttachment", "storage.k8s.io/v1"),
    (25, "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    (25, "batch/v1beta1", "CronJob", "batch/v1"),
    (25, "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1"),
    (25, "events.k8s.io/v1beta1", "Event", "events.k8s.io/v1"),
    (25, "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1"),
    (25, "policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
    (25, "policy/v1beta1", "PodSecurityPolicy", ""),
    (26, "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
    (26, f"{_FLOW}/v1beta1", "FlowSchema PriorityLevelConfiguration", f"{_FLOW}/v1"),
    (27, "storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1"),
    (29, f"{_FLOW}/v1beta2", "FlowSchema PriorityLevelConfiguration", f"{_FLOW}/v1"),
    (32, f"{_ADMISSION}/v1alpha1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", f"{_ADMISSION}/v1"),
    (32, f"{_FLOW}/v1beta3", "FlowSchema PriorityLevelConfiguration", f"{_FLOW}/v1"),
    (34, f"{_ADMISSION}/v1beta1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", f"{_ADMISSION}/v1"),
    (35, "storage.k8s.io/v1alpha1", "VolumeAttributesClass", "storage.k8s.io/v1"),
    (36, "storagemigration.k8s.io/v1alpha1", "StorageVersionMigration", "storagemigration.k8s.io/v1beta1"),
    (37, "certificates.k8s.io/v1alpha1", "ClusterTrustBundle", "certificates.k8s.io/v1beta1"),
    (37, "networking.k8s.io/v1beta1", "IPAddress ServiceCIDR", "networking.k8s.io/v1"),
    (37, "storage.k8s.io/v1beta1", "VolumeAttributesClass", "storage.k8s.io/v1"),
    (38, f"{_ADMISSION}/v1alpha1", "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding", f"{_ADMISSION}/v1"),
    (38, "coordination.k8s.io/v1alpha2", "LeaseCandidate", "coordination.k8s.io/v1beta1"),
    (38, f"{_DRA}/v1beta1", _CLAIMS, f"{_DRA}/v1"),
    (39, f"{_DRA}/v1alpha3", "DeviceTaintRule", f"{_DRA}/v1beta2"),
    (39, f"{_DRA}/v1beta2", _CLAIMS, f"{_DRA}/v1"),
    (40, f"{_ADMISSION}/v1beta1", "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding", f"{_ADMISSION}/v1"),
    (40, "storagemigration.k8s.io/v1beta1", "StorageVersionMigration", "storagemigration.k8s.io/v1"),
    (40, "certificates.k8s.io/v1beta1", "ClusterTrustBundle PodCertificateRequest", "certificates.k8s.io/v1"),
)


@dataclass(frozen=True)
class Removed:
    """``minor``: the first version, 1.``minor``, without it. ``instead`` may be empty: nothing follows it."""

    minor: int
    instead: str


REMOVED = {
    (api_version, kind): Removed(minor, instead)
    for minor, api_version, kinds, instead in _TABLE
    for kind in kinds.split()
}


@dataclass(frozen=True)
class Used:
    """Something that uses a version of an API: ``by`` says what (an add-on, an object)."""

    api_version: str
    kind: str
    by: str


def gone_in(used: Iterable[Used], minor: int) -> list[tuple[Used, Removed]]:
    """What 1.``minor`` no longer serves of it, in the order given and each once."""
    found = []
    for one in dict.fromkeys(used):
        removed = REMOVED.get((one.api_version, one.kind))
        if removed is not None and removed.minor <= minor:
            found.append((one, removed))
    return found
