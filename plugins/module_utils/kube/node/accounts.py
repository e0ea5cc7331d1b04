# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What gives a run its rights on the cluster: names, labels and bodies.

An installer is a ServiceAccount and its binding to ``cluster-admin``, made for one run; the account is owned by the
binding, so that deleting the binding ends both. A reader is there for good; its tokens end with a Secret of their run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

LABEL_NAME = "slipway.cluster/name"
LABEL_RECORD = "slipway.cluster/record"
LABEL_ACCESS = "slipway.cluster/access"
CREATED_BY = "slipway.cluster/created-by"
EXPIRES = "slipway.cluster/expires"
RECORD = "access"
INSTALLER, READER = "installer", "reader"

RBAC = "/apis/rbac.authorization.k8s.io/v1"
_API = "rbac.authorization.k8s.io"


def installer_name(run: str) -> str:
    return f"slipway-installer-{run}"


def reader_name(name: str) -> str:
    return f"slipway-reader-{name}"


def lease_name(run: str) -> str:
    """The Secret that a reader's tokens of one run are bound to."""
    return f"slipway-reader-run-{run}"


def selector(name: str, access: str) -> str:
    return f"{LABEL_NAME}={name},{LABEL_RECORD}={RECORD},{LABEL_ACCESS}={access}"


def namespace_path(name: str) -> str:
    return f"/api/v1/namespaces/{name}"


def account_path(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/serviceaccounts" + (f"/{name}" if name else "")


def secret_path(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/secrets" + (f"/{name}" if name else "")


def binding_path(name: str) -> str:
    return f"{RBAC}/clusterrolebindings/{name}"


def metadata(
    name: str, owner: str, access: str, *, namespace: str = "", expires: datetime | None = None
) -> dict[str, Any]:
    """``owner`` is the ``slipway_name``."""
    meta: dict[str, Any] = {
        "name": name,
        "labels": {LABEL_NAME: owner, LABEL_RECORD: RECORD, LABEL_ACCESS: access},
    }
    if namespace:
        meta["namespace"] = namespace
    if expires is not None:
        meta["annotations"] = {EXPIRES: stamp(expires)}
    return meta


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def expired(obj: dict[str, Any], now: datetime) -> bool:
    """Whether an object says that its time is over. One that says nothing is not ours to judge."""
    text = ((obj.get("metadata") or {}).get("annotations") or {}).get(EXPIRES, "")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z") < now
    except ValueError:
        return False


def account(meta: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False}


def role(meta: dict[str, Any], rules: list[dict[str, Any]]) -> dict[str, Any]:
    kind = "Role" if meta.get("namespace") else "ClusterRole"
    return {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": meta, "rules": rules}


def binding(meta: dict[str, Any], role_name: str, namespace: str, account_name: str) -> dict[str, Any]:
    """A binding of a ServiceAccount: in a namespace to the Role of that name, else to the ClusterRole."""
    local = bool(meta.get("namespace"))
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "RoleBinding" if local else "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": _API, "kind": "Role" if local else "ClusterRole", "name": role_name},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": account_name}],
    }
