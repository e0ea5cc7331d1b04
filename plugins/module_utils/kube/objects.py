# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names of kinds and objects, and their paths in the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, order=True)
class ObjectId:
    """Identity of an object. The API version is left out on purpose: ``v1beta1`` and ``v1`` are one object."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"


@dataclass(frozen=True)
class Resource:
    """A kind as the API serves it: ``plural`` is its path segment."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def base(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def collection(self, namespace: str = "") -> str:
        """Path of the collection; without a namespace, of all namespaces."""
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.base}{middle}/{self.plural}"

    def path(self, namespace: str, name: str) -> str:
        return f"{self.collection(namespace)}/{name}"


def split_api_version(api_version: str) -> tuple[str, str]:
    """``apps/v1`` as ``("apps", "v1")``, ``v1`` as ``("", "v1")``."""
    group, _slash, version = api_version.rpartition("/")
    return group, version


def object_id(obj: Json) -> ObjectId:
    group = split_api_version(str(obj.get("apiVersion", "")))[0]
    meta = obj.get("metadata") or {}
    return ObjectId(group, str(obj.get("kind", "")), str(meta.get("namespace") or ""), str(meta.get("name", "")))


_BUILT_IN = frozenset({
    "", "apps", "autoscaling", "batch", "extensions", "policy", "admissionregistration.k8s.io", "apiextensions.k8s.io",
    "apiregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io",
    "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
})  # fmt: skip


def is_custom(group: str) -> bool:
    """Whether a group is served by a CRD or an aggregated API server: not every ``*.k8s.io`` is Kubernetes' own."""
    return group not in _BUILT_IN


def is_crd(obj: Json) -> bool:
    return obj.get("kind") == "CustomResourceDefinition" and str(obj.get("apiVersion", "")).startswith(
        "apiextensions.k8s.io/"
    )


def crd_resources(crd: Json) -> list[Resource]:
    """The kinds that a CustomResourceDefinition will serve, one for each served version, storage version first."""
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    versions = sorted(
        (v for v in spec.get("versions") or [] if v.get("served")), key=lambda v: not v.get("storage", False)
    )
    return [
        Resource(
            group=str(spec.get("group", "")),
            version=str(v["name"]),
            kind=str(names.get("kind", "")),
            plural=str(names.get("plural", "")),
            namespaced=spec.get("scope") == "Namespaced",
        )
        for v in versions
    ]


NAMESPACE = Resource("", "v1", "Namespace", "namespaces", False)
CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", True)
SECRET = Resource("", "v1", "Secret", "secrets", True)
NODE = Resource("", "v1", "Node", "nodes", False)
LEASE = Resource("coordination.k8s.io", "v1", "Lease", "leases", True)
CRD = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
PV = Resource("", "v1", "PersistentVolume", "persistentvolumes", False)
PVC = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True)
API_SERVICE = Resource("apiregistration.k8s.io", "v1", "APIService", "apiservices", False)
