# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Rendered objects made ready to apply: identity, API resource, our marks, and the stage they are applied in."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from ..kube.discovery import Discovery
from ..kube.objects import NAMESPACE, Json, ObjectId, Resource, is_crd, is_custom
from .errors import RenderError
from .model import JSON, Addon, ChartSource
from .record import LABEL_ADDON, LABEL_NAME
from .sources.render import Rendered

MANAGER = "slipway"
"""Our name as a field manager."""
CREATED_BY = "slipway.cluster/created-by"
KEEP_POLICY = "helm.sh/resource-policy"

# Kinds in the order in which they must exist; what is not listed comes after them, webhooks last of all
# (a webhook that is there before its backend refuses our own objects).
_FIRST = (
    "Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass", "IngressClass", "GatewayClass",
    "RuntimeClass", "VolumeSnapshotClass", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget",
    "ServiceAccount", "Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim", "ClusterRole",
    "ClusterRoleBinding", "Role", "RoleBinding", "Service",
)  # fmt: skip
_CUSTOM_CLASSES = ("GatewayClass", "VolumeSnapshotClass")
_LAST = ("APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: rank for rank, kind in enumerate(_FIRST)}
WORKLOADS, CUSTOM, WEBHOOKS = len(_FIRST), len(_FIRST) + 1, len(_FIRST) + 2
NAMESPACES, CRDS = 0, 1


@dataclass(frozen=True)
class Desired:
    """One object to be: ``body`` is exactly what is applied."""

    id: ObjectId
    resource: Resource
    body: Json
    keep: bool = False
    hook: bool = False
    bare: bool = False
    """A release's namespace that nobody rendered: created where it is missing, and left alone where it is not."""

    @property
    def path(self) -> str:
        return self.resource.path(self.id.namespace, self.id.name)

    @property
    def rank(self) -> int:
        return rank_of(self.id)


def rank_of(identity: ObjectId) -> int:
    """Place in the order of creation; removal goes the other way."""
    if identity.kind in _LAST:
        return WEBHOOKS
    if is_custom(identity.group) and identity.kind not in _CUSTOM_CLASSES:
        return CUSTOM
    return _RANK.get(identity.kind, WORKLOADS)


def prepare(addon: Addon, rendered: Rendered, discovery: Discovery, name: str) -> list[Desired]:
    """All objects of a release but its hooks, in the order of their stages, the release's namespace included.

    Raises ``RenderError`` (SLW-2501) naming every kind that neither the cluster nor this run serves.
    """
    crds = () if addon.crds == "skip" else rendered.crds
    pairs = [(obj, prepare_one(addon, obj, discovery, name)) for obj in (*crds, *rendered.objects)]
    unknown = sorted({f"{obj['apiVersion']} {obj['kind']}" for obj, one in pairs if one is None})
    if unknown:
        raise RenderError(
            "SLW-2501",
            f"add-on {addon.name}: neither the cluster nor this run serves {', '.join(unknown)}",
            "add the add-on that brings the CRD, or turn off the value that asks for it",
        )
    desired = [pair[1] for pair in pairs if pair[1] is not None]
    needed = {addon.namespace} - {d.id.name for d in desired if d.id.kind == "Namespace"}
    if any(d.id.namespace == addon.namespace for d in desired) or isinstance(addon.source, ChartSource):
        desired += [release_namespace(namespace, name) for namespace in sorted(needed)]
    return sorted(desired, key=lambda d: (d.rank, d.id))


def prepare_one(addon: Addon, obj: Json, discovery: Discovery, name: str, *, hook: bool = False) -> Desired | None:
    """One object, or None when nobody serves its kind."""
    resource = discovery.find(str(obj["apiVersion"]), str(obj["kind"]))
    if resource is None:
        return None
    meta = dict(obj["metadata"])
    namespace = str(meta.get("namespace") or addon.namespace) if resource.namespaced else ""
    plain = {k: v for k, v in obj.items() if k != "status"}
    # In a custom resource a null may mean something: "without the default".
    body = {**plain, "metadata": _strip(plain["metadata"])} if is_custom(resource.group) else _strip(plain)
    meta = body["metadata"]
    meta.pop("creationTimestamp", None)
    meta.pop("namespace", None)
    if namespace:
        meta["namespace"] = namespace
    labels = {**(meta.get("labels") or {}), LABEL_NAME: name, LABEL_ADDON: addon.name}
    if isinstance(addon.source, ChartSource) and not hook:
        # Helm's own marks: without them `helm upgrade` and `helm rollback` refuse the objects as foreign.
        labels["app.kubernetes.io/managed-by"] = "Helm"
        meta["annotations"] = {
            **(meta.get("annotations") or {}),
            "meta.helm.sh/release-name": addon.release,
            "meta.helm.sh/release-namespace": addon.namespace,
        }
    meta["labels"] = labels
    if resource.kind == "Secret" and not resource.group:
        _fold_string_data(body)
    keep = (meta.get("annotations") or {}).get(KEEP_POLICY) == "keep"
    identity = ObjectId(resource.group, resource.kind, namespace, str(meta["name"]))
    return Desired(identity, resource, body, keep, hook)


def release_namespace(namespace: str, name: str) -> Desired:
    """The namespace of a release. It carries no add-on's label: several add-ons may share it."""
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "annotations": {CREATED_BY: name}},
    }
    return Desired(ObjectId("", "Namespace", "", namespace), NAMESPACE, body, bare=True)


def crds_of(rendered: Rendered) -> Iterable[Json]:
    yield from rendered.crds
    yield from (obj for obj in rendered.objects if is_crd(obj))


def _strip(value: JSON) -> JSON:
    """Without nulls: to server-side apply a null is a field that we would own."""
    if isinstance(value, dict):
        return {k: _strip(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_strip(v) for v in value]
    return value


def _fold_string_data(body: Json) -> None:
    """``stringData`` is write-only: owned fields are those of ``data``."""
    plain = body.pop("stringData", None)
    if plain:
        data = dict(body.get("data") or {})
        data.update({k: base64.b64encode(str(v).encode()).decode() for k, v in plain.items()})
        body["data"] = data
