# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which version the API server of each control plane node is: one address answers for any of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..kube.client import Client

Json = dict[str, Any]
_PODS = "/api/v1/namespaces/kube-system/pods"
_SERVER = "component=kube-apiserver"


def servers(client: Client) -> dict[str, str]:
    """By node; without those whose version is not known. Raises ``KubeError``."""
    return versions_of(client.list(_PODS, {"labelSelector": _SERVER}))


def versions_of(pods: Iterable[Json]) -> dict[str, str]:
    """By the images of static pods; one without a tag says nothing."""
    found = {}
    for pod in pods:
        spec = pod.get("spec") or {}
        image = str(((spec.get("containers") or [{}])[0]).get("image", ""))
        _name, colon, tag = image.partition("@")[0].rpartition(":")
        if colon and "/" not in tag and spec.get("nodeName"):
            found[str(spec["nodeName"])] = tag
    return found
